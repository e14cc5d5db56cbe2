#include <coronado/http/output_transform.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "http/response_encoder.hpp"
#include "http/transformed_response.hpp"

namespace coronado {
namespace {

bool forbids_body(int status) noexcept { return status < 200 || status == 204 || status == 304; }

bool is_same(const HeaderBlock& before, const HeaderBlock& after, std::string_view name) {
  const auto value = after.find(name);
  return value && value == before.find(name);
}

void weaken_etag(HeaderBlock& fields) {
  fields.set("ETag", "W/" + std::string(*fields.find("ETag")));
}

/// Takes out what was said of the body as it was, and has become wrong.
void forget_old_body(std::string_view before_wire, HeaderBlock& after) {
  HeaderBlock before;
  before.append_wire(before_wire);
  for (const std::string_view name : kDigestFields) {
    if (is_same(before, after, name)) after.erase(name);
  }
  after.erase("Accept-Ranges");  // they would be those of the body as it was
  // RFC 9110 8.8.1: the same meaning in other bytes.
  if (is_same(before, after, "ETag") && after.find("ETag")->starts_with('"')) weaken_etag(after);
}

/// RFC 9110 15.4.5: 304 says what the 200 would. The client shows the weak tag when it has that.
void keep_weak_etag(const RequestHead& request, HeaderBlock& fields) {
  const auto tag = fields.find("ETag");
  if (!tag || !tag->starts_with('"')) return;
  const std::string_view known = request.find(FieldId::kIfNoneMatch).value_or("");
  if (known.find("W/" + std::string(*tag)) != std::string_view::npos) weaken_etag(fields);
}

}  // namespace

bool OutputTransform::transform_first_chunk(int&, HeaderBlock&, std::string& chunk,
                                            bool finishing) {
  transform_chunk(chunk, finishing);
  return true;
}

void OutputTransform::transform_chunk(std::string&, bool) {}

// --- the transforms of a response ---------------------------------------------------------------

void HTTPExchange::Transformed::begin(int& status, HeaderBlock& fields, std::string& chunk,
                                      bool finishing) {
  running = true;
  std::ranges::reverse(chain);
  std::erase_if(chain, [&](const std::unique_ptr<OutputTransform>& each) {
    return !each->transform_first_chunk(status, fields, chunk, finishing);
  });
}

void HTTPExchange::Transformed::piece(std::string& chunk, bool finishing) {
  for (const auto& each : chain) each->transform_chunk(chunk, finishing);
}

void HTTPExchange::transform_output(std::unique_ptr<OutputTransform> transform) {
  if (started_) throw std::logic_error("the response has been started already");
  if (!transformed_) {
    transformed_ = std::make_unique<Transformed>();
    shaped_ = true;
    edit_head([](int, HeaderBlock&) {});  // so that `start` takes the way that looks
  }
  transformed_->chain.push_back(std::move(transform));
}

void HTTPExchange::start_transformed(const ResponseHead& head, std::optional<std::uint64_t> length,
                                     std::string_view first) {
  std::unique_ptr<Transformed> transformed = std::move(transformed_);
  shaped_ = false;
  if (next_) return start(head, length, first);
  if (length && first.size() > *length) too_much();
  const bool bodiless = forbids_body(head.status);
  const bool whole = bodiless || length == first.size();
  std::string chunk(bodiless ? std::string_view() : first);
  HeaderBlock fields;
  fields.append_wire(head.fields);
  ResponseHead changed = head;
  transformed->begin(changed.status, fields, chunk, whole);
  if (changed.status != head.status) changed.reason = {};
  if (!transformed->chain.empty()) {
    forget_old_body(head.fields, fields);
    if (whole) {
      length = chunk.size();
    } else {
      transformed->promised = std::exchange(length, std::nullopt);
      transformed->written = first.size();
      transformed_ = std::move(transformed);
      shaped_ = true;
    }
  } else if (head.status == 304) {
    keep_weak_etag(request_.head_, fields);
  }
  changed.fields = fields.wire();
  changed.has_date = fields.contains("Date");
  changed.has_server = fields.contains("Server");
  start(changed, length, chunk);
}

/// Gives the transforms a piece of the body. When one throws, the response cannot be brought to an
/// end that is right.
void HTTPExchange::transform_piece(std::string& piece, bool finishing) {
  try {
    transformed_->piece(piece, finishing);
  } catch (...) {
    abort();
    throw;
  }
}

void HTTPExchange::write_transformed(std::string_view bytes) {
  Transformed& state = *transformed_;
  if (state.promised && state.written + bytes.size() > *state.promised) too_much();
  state.written += bytes.size();
  std::string piece(bytes);
  transform_piece(piece, false);
  send_transformed(piece);
}

/// False: the response is too short and has been cut.
bool HTTPExchange::finish_transformed() {
  const Transformed& state = *transformed_;
  if (state.promised && state.written < *state.promised) {
    too_little(*state.promised - state.written);
    return false;
  }
  std::string piece;
  transform_piece(piece, true);
  send_transformed(piece);
  return true;
}

void HTTPExchange::send_transformed(std::string_view piece) {
  if (piece.empty()) return;  // an empty chunk would be the last one
  if (encoded_) return write_encoded(piece);
  body_sent_ += piece.size();
  sink_->write(*this, piece);
}

}  // namespace coronado
