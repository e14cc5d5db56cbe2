#include <coronado/http/multipart.hpp>

#include <coronado/base/error.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/temp_folder.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace coronado {
namespace {

using Status = MultipartDecoder::Status;

constexpr std::string_view kForm =
    "preamble\r\n--limit\r\n"
    "Content-Disposition: form-data; name=\"text\"\r\n\r\n"
    "one\r\ntwo\r\n"
    "--limit  \t\r\n"
    "content-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
    "Content-Type: text/plain\r\n\r\n"
    "\r\n--limi\r\n-\r\r\n"
    "--limit\r\n"
    "Content-Disposition: form-data; name=empty\r\n\r\n"
    "\r\n--limit--\r\nepilogue";

/// What a decoder tells, as text, when the body comes in pieces of `size`.
std::string events(std::string_view body, std::size_t size, MultipartLimits limits = {}) {
  MultipartDecoder decoder("limit", limits);
  std::string log;
  std::string kept;
  for (std::size_t at = 0; at <= body.size(); at += size) {
    kept.append(body.substr(at, size));
    for (;;) {
      const MultipartDecoder::Step step = decoder.feed(kept);
      if (step.status == Status::kPart) {
        log += "[" + decoder.part().name + "," + decoder.part().filename.value_or("-") + "," +
               decoder.part().content_type + "]";
      }
      log.append(step.data);
      if (step.status == Status::kPartEnd) log += "[end]";
      if (step.status == Status::kDone) return log + "[done]";
      if (step.status == Status::kError) return log + "[" + decoder.reason() + "]";
      kept.erase(0, step.consumed);
      if (step.status == Status::kMore && step.consumed == 0) break;
    }
    EXPECT_LT(kept.size(), 10'300U);
  }
  return log + "[more]";
}

TEST(MultipartDecoder, TheSameInEveryFragmentation) {
  for (std::size_t size = 1; size <= kForm.size(); ++size) {
    EXPECT_EQ(events(kForm, size),
              "[text,-,]one\r\ntwo[end]"
              "[file,a.txt,text/plain]\r\n--limi\r\n-\r[end]"
              "[empty,-,][end][done]")
        << size;
  }
}

TEST(MultipartDecoder, ADelimiterMayFollowTheHeadAtOnce) {
  const std::string body = "--limit\r\nContent-Disposition: form-data; name=a\r\n\r\n--limit--";
  for (std::size_t size = 1; size <= body.size(); ++size) {
    EXPECT_EQ(events(body, size), "[a,-,][end][done]") << size;
  }
}

TEST(MultipartDecoder, MalformedBodies) {
  struct Case {
    const char* body;
    const char* reason;
  };
  for (const Case& each : {
           Case{"--limit\r\n\r\nx", "a part has no head"},
           Case{"--limitless\r\n", "a delimiter is followed by other text"},
           Case{"--limit\r\nContent-Type: a/b\r\n\r\n", "a part has no Content-Disposition"},
           Case{"--limit\r\nno colon\r\n\r\n", "a part has a malformed head"},
           Case{"--limit\r\nA: b\rc\r\n\r\n", "the head of a part has control bytes"},
           Case{"--limit\r\nContent-Disposition: attachment; name=a\r\n\r\n",
                "a part is no form-data"},
           Case{"--limit\r\nContent-Disposition: form-data; filename=a\r\n\r\n",
                "a part has no name"},
           Case{"--limit\r\nContent-Disposition: form-data; name=a\r\n"
                "Content-Disposition: form-data; name=b\r\n\r\n",
                "a part has two Content-Dispositions"},
       }) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
      EXPECT_EQ(events(each.body, size), std::string("[") + each.reason + "]") << each.body;
    }
  }
  EXPECT_EQ(events("--limit" + std::string(100, ' ') + "\r\n", 5),
            "[a delimiter is followed by too much white space]");
}

TEST(MultipartDecoder, Limits) {
  EXPECT_EQ(
      events(kForm, 9, {.max_parts = 2}),
      "[text,-,]one\r\ntwo[end][file,a.txt,text/plain]\r\n--limi\r\n-\r[end][too many parts]");
  EXPECT_EQ(events(kForm, 1000, {.max_part_header_size = 60}),
            "[text,-,]one\r\ntwo[end][the head of a part is too large]");
  EXPECT_EQ(events(kForm, 1000, {.max_part_size = 7}), "[text,-,][a part is too large]");
  EXPECT_EQ(events(kForm, 1000, {.max_part_size = 12}).find("too large"), std::string::npos);
}

TEST(MultipartBoundary, OfAContentType) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b\""), "a b");
  EXPECT_EQ(multipart_boundary("text/plain; boundary=abc"), std::nullopt);
  EXPECT_EQ(multipart_boundary("multipart/form-datax; boundary=abc"), std::nullopt);
  EXPECT_EQ(multipart_boundary(""), std::nullopt);
  for (const std::string& bad :
       {std::string("multipart/form-data"), std::string("multipart/form-data; boundary="),
        std::string("multipart/form-data; boundary=\"a \""),
        std::string("multipart/form-data; boundary=\"a{b\""),
        "multipart/form-data; boundary=" + std::string(71, 'a')}) {
    EXPECT_THROW(multipart_boundary(bad), HTTPInputError) << bad;
  }
}

TEST(MultipartForm, FieldsAndFiles) {
  const MultipartForm form = parse_multipart_form("limit", kForm);
  EXPECT_EQ(form.arguments, (ArgumentList{{"text", "one\r\ntwo"}, {"empty", ""}}));
  ASSERT_EQ(form.files.size(), 1U);
  EXPECT_EQ(form.files[0].name, "file");
  EXPECT_EQ(form.files[0].filename, "a.txt");
  EXPECT_EQ(form.files[0].content_type, "text/plain");
  EXPECT_EQ(form.files[0].body, "\r\n--limi\r\n-\r");
}

TEST(MultipartForm, AFileThatWasNotChosenIsLeftOut) {
  const MultipartForm form = parse_multipart_form(
      "b",
      "--b\r\nContent-Disposition: form-data; name=f; filename=\"\"\r\n\r\n\r\n"
      "--b\r\nContent-Disposition: form-data; name=g; filename=x\r\n\r\n1\r\n--b--\r\n");
  EXPECT_TRUE(form.arguments.empty());
  ASSERT_EQ(form.files.size(), 1U);
  EXPECT_EQ(form.files[0].content_type, "application/unknown");
}

TEST(MultipartForm, ErrorsSayWhatIsWrong) {
  const auto message = [](std::string_view body) -> std::string {
    try {
      parse_multipart_form("b", body);
    } catch (const HTTPInputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message(""), "invalid multipart/form-data: the last delimiter is missing");
  EXPECT_EQ(message("--b\r\nContent-Disposition: form-data; name=a\r\n\r\ntext"),
            "invalid multipart/form-data: the last delimiter is missing");
  EXPECT_EQ(message("--b\r\n\r\n"), "invalid multipart/form-data: a part has no head");
}

Task<std::string> as_piece(std::string piece) { co_return piece; }

/// A body that comes in pieces of one size.
MultipartReader::Source source_of(std::string body, std::size_t size) {
  return [body = std::move(body), size, at = std::size_t{0}]() mutable -> Task<std::string> {
    std::string piece = body.substr(std::min(at, body.size()), size);
    at += piece.size();
    return as_piece(std::move(piece));
  };
}

TEST(MultipartReader, PartByPart) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{13}, std::size_t{4096}}) {
    run_async([size]() -> Task<> {
      MultipartReader reader("limit", source_of(std::string(kForm), size));
      std::string log;
      while (const MultipartPart* part = co_await reader.next_part()) {
        log += "[" + part->name + "]";
        if (part->name == "file") continue;  // what is not read is skipped
        for (std::string piece = co_await reader.read(); !piece.empty();
             piece = co_await reader.read()) {
          log += piece;
        }
        EXPECT_EQ(co_await reader.read(), "");
      }
      EXPECT_EQ(log, "[text]one\r\ntwo[file][empty]");
      EXPECT_EQ(co_await reader.next_part(), nullptr);
    });
  }
}

TEST(MultipartReader, ABodyThatEndsTooEarly) {
  run_async([]() -> Task<> {
    MultipartReader reader("limit", source_of(std::string(kForm.substr(0, 120)), 50));
    bool failed = false;
    try {
      while (co_await reader.next_part() != nullptr) {
      }
    } catch (const HTTPInputError&) {
      failed = true;
    }
    EXPECT_TRUE(failed);
  });
}

TEST(MultipartReader, PartsGoToFiles) {
  const TempFolder folder;
  const auto content = [](const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  run_async([&]() -> Task<> {
    MultipartReader reader("limit", source_of(std::string(kForm), 13));
    co_await reader.next_part();
    EXPECT_EQ(co_await reader.save(folder.at("text")), 8U);
    EXPECT_EQ(content(folder.at("text")), "one\r\ntwo");
    const auto rights = std::filesystem::status(folder.at("text")).permissions();
    EXPECT_EQ(rights & std::filesystem::perms(0777), std::filesystem::perms(0600));
    // A file that is there already is left alone.
    co_await reader.next_part();
    bool refused = false;
    try {
      co_await reader.save(folder.at("text"));
    } catch (const std::system_error& error) {
      refused = error.code() == std::errc::file_exists;
      EXPECT_NE(std::string(error.what()).find(folder.at("text")), std::string::npos);
    }
    EXPECT_TRUE(refused);
    EXPECT_EQ(content(folder.at("text")), "one\r\ntwo");
    while (co_await reader.next_part() != nullptr) {
    }
    // Of a body that ends too early no file is left.
    MultipartReader cut("limit", source_of(std::string(kForm.substr(0, 75)), 5));
    co_await cut.next_part();
    bool failed = false;
    try {
      co_await cut.save(folder.at("cut"));
    } catch (const HTTPInputError&) {
      failed = true;
    }
    EXPECT_TRUE(failed);
    EXPECT_FALSE(std::filesystem::exists(folder.at("cut")));
  });
}

Task<std::string> as_piece_much_later() {
  co_await sleep(std::chrono::hours(1));
  co_return "late";
}

TEST(MultipartReader, SavingIsCancelledAndLeavesNoFile) {
  const TempFolder folder;
  run_async([&]() -> Task<> {
    bool first = true;
    MultipartReader reader("limit", [&]() -> Task<std::string> {
      if (std::exchange(first, false)) return as_piece(std::string(kForm.substr(0, 75)));
      return as_piece_much_later();
    });
    co_await reader.next_part();
    bool late = false;
    try {
      co_await with_timeout(std::chrono::seconds(1), reader.save(folder.at("cut")));
    } catch (const TimeoutError&) {
      late = true;
    }
    EXPECT_TRUE(late);
    EXPECT_FALSE(std::filesystem::exists(folder.at("cut")));
  });
}

}  // namespace
}  // namespace coronado
