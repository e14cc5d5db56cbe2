#include <coronado/http/field_id.hpp>

#include <gtest/gtest.h>

#include <string>

namespace coronado {
namespace {

TEST(FieldId, IsFoundByNameInAnyCase) {
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    const auto id = static_cast<FieldId>(i);
    std::string name(field_name(id));
    ASSERT_GE(name.size(), 2U);
    EXPECT_EQ(field_id(name), id) << name;
    for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    EXPECT_EQ(field_id(name), id) << name;
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    EXPECT_EQ(field_id(name), id) << name;
  }
}

TEST(FieldId, IsNotFoundByAnythingElse) {
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    const std::string name(field_name(static_cast<FieldId>(i)));
    for (std::size_t at = 0; at < name.size(); ++at) {
      std::string other = name;
      other[at] = static_cast<char>(other[at] ^ 1);
      EXPECT_NE(field_id(other), static_cast<FieldId>(i)) << other;
    }
    EXPECT_EQ(field_id(name + "x"), FieldId::kOther);
    EXPECT_EQ(field_id(name + ":"), FieldId::kOther);
  }
  for (const char* name : {"", "a", "Hos", "X-Unknown", "Content\rLength", "x y"}) {
    EXPECT_EQ(field_id(name), FieldId::kOther) << name;
  }
  EXPECT_EQ(field_name(FieldId::kOther), "");
}

TEST(FieldId, KeepsTheUsualSpelling) {
  EXPECT_EQ(field_name(FieldId::kContentType), "Content-Type");
  EXPECT_EQ(field_name(FieldId::kIfNoneMatch), "If-None-Match");
  EXPECT_EQ(field_name(FieldId::kXForwardedFor), "X-Forwarded-For");
  EXPECT_EQ(field_name(FieldId::kTE), "TE");
}

}  // namespace
}  // namespace coronado
