#include <coronado/base/crypto.hpp>

#include <coronado/base/strings.hpp>

#include <gtest/gtest.h>

#include <set>

namespace coronado {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

TEST(Hash, KnownDigests) {  // FIPS 180-4 and RFC 1321: the digests of "abc"
  EXPECT_EQ(hex(hash(HashAlgorithm::kMD5, "abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(hash(HashAlgorithm::kSHA1, "abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(hash(HashAlgorithm::kSHA256, "abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash(HashAlgorithm::kSHA384, "abc").size(), 48U);
  EXPECT_EQ(hash(HashAlgorithm::kSHA512, "abc").size(), 64U);
  EXPECT_EQ(hex(hash(HashAlgorithm::kSHA256, "")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hash, InPiecesAndAgain) {
  Hasher hasher(HashAlgorithm::kSHA256);
  hasher.update("a");
  hasher.update("");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish(), hash(HashAlgorithm::kSHA256, "abc"));
  hasher.update("other");
  Hasher moved = std::move(hasher);
  EXPECT_EQ(moved.finish(), hash(HashAlgorithm::kSHA256, "other"));
}

TEST(HMAC, KnownCodes) {  // RFC 4231, test cases 1 and 6; RFC 2202, test case 2
  EXPECT_EQ(hex(hmac(HashAlgorithm::kSHA256, std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac(HashAlgorithm::kSHA256, std::string(131, '\xaa'),
                     "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hex(hmac(HashAlgorithm::kSHA1, "Jefe", "what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hmac(HashAlgorithm::kSHA256, "", "").size(), 32U);
}

TEST(RandomBytes, DoNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = random_bytes(16);
    EXPECT_EQ(bytes.size(), 16U);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
  EXPECT_EQ(random_bytes(0), "");
}

TEST(ConstantTimeEqual, Compares) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
}

TEST(Base64Text, RoundTripsInBothAlphabets) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    for (const Base64 alphabet : {Base64::kStandard, Base64::kURL}) {
      const std::string text = base64_encode(bytes, alphabet);
      EXPECT_EQ(base64_decode(text, alphabet), bytes) << text;
    }
    bytes.push_back(static_cast<char>(i * 7));
  }
}

TEST(Base64Text, KnownTexts) {  // RFC 4648 10
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode("\xfb\xff"), "+/8=");
  EXPECT_EQ(base64_encode("\xfb\xff", Base64::kURL), "-_8");
  EXPECT_EQ(base64_decode("-_8=", Base64::kURL), "\xfb\xff");
}

TEST(Base64Text, RefusesAnythingElse) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zm9v\n", " Zm9v", "Zm-v",
                           "Zm=v", "Zg==Zg==", "Zm9vYm\xc3\xa4="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
  for (const char* text : {"Zm+v", "Z", "Zm9v Zm9v"}) {
    EXPECT_FALSE(base64_decode(text, Base64::kURL)) << text;
  }
}

TEST(DeriveKey, KnownKeys) {  // RFC 5869 A.3: zero-length salt and info
  const std::string secret(22, '\x0b');
  std::string hex;
  append_hex(hex, derive_key(secret, "", 42));
  EXPECT_EQ(hex,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  EXPECT_NE(derive_key(secret, "one"), derive_key(secret, "two"));
  EXPECT_EQ(derive_key(secret, "one").size(), 32U);
  EXPECT_EQ(derive_key(secret, "one", 8160).size(), 8160U);
  EXPECT_THROW(derive_key(secret, "one", 8161), std::invalid_argument);
  EXPECT_THROW(derive_key(secret, "one", 0), std::invalid_argument);
}

TEST(Encrypt, RoundTripsAndDiffersEachTime) {
  const std::string key(32, 'k');
  for (const std::string_view plain : {"", "a", "a longer text, of more than one block of AES"}) {
    const std::string sealed = encrypt(key, plain, "context");
    EXPECT_EQ(sealed.size(), plain.size() + 28);
    EXPECT_EQ(decrypt(key, sealed, "context"), plain);
    EXPECT_NE(encrypt(key, plain, "context"), sealed);
  }
}

TEST(Encrypt, KnownCiphertext) {  // GCM's test case 14: key, nonce and plain text are zeros
  const std::string key(32, '\0');
  const std::optional<std::string> sealed = parse_hex(
      "000000000000000000000000cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  EXPECT_EQ(decrypt(key, *sealed), std::string(16, '\0'));
}

TEST(Encrypt, AnyChangeIsSeen) {
  const std::string key(32, 'k');
  const std::string sealed = encrypt(key, "plain", "context");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(decrypt(key, changed, "context")) << i;
    EXPECT_FALSE(decrypt(key, sealed.substr(0, i), "context")) << i;
  }
  EXPECT_FALSE(decrypt(key, sealed, "other"));
  EXPECT_FALSE(decrypt(std::string(32, 'l'), sealed, "context"));
  EXPECT_THROW(decrypt("short", sealed), std::invalid_argument);
  EXPECT_THROW(encrypt("short", "plain"), std::invalid_argument);
}

TEST(RandomToken, IsTextForURLs) {
  EXPECT_EQ(random_token().size(), 43U);
  EXPECT_EQ(base64_decode(random_token(16), Base64::kURL)->size(), 16U);
  EXPECT_NE(random_token(), random_token());
}

}  // namespace
}  // namespace coronado
