#include "web/content_types.hpp"

#include <gtest/gtest.h>

namespace coronado::web {
namespace {

TEST(ContentTypes, AreToldByTheExtension) {
  EXPECT_EQ(guess_content_type("site.css"), "text/css");
  EXPECT_EQ(guess_content_type("INDEX.HTML"), "text/html");
  EXPECT_EQ(guess_content_type("a.b.js"), "text/javascript");
  EXPECT_EQ(guess_content_type("module.wasm"), "application/wasm");
  EXPECT_EQ(guess_content_type("favicon.ico"), "image/vnd.microsoft.icon");
  EXPECT_EQ(guess_content_type("app.webmanifest"), "application/manifest+json");
  EXPECT_EQ(guess_content_type("3.3gp"), "video/3gpp");  // the first and the last of the table
  EXPECT_EQ(guess_content_type("x.zst"), "application/zstd");
  EXPECT_EQ(guess_content_type("backup.tar.gz"), "application/gzip");
}

TEST(ContentTypes, WhatIsUnknownIsBytes) {
  for (const char* name :
       {"README", "x.", "x.unheardof", ".", "", "x.averyverylongextension", "css"}) {
    EXPECT_EQ(guess_content_type(name), "application/octet-stream") << name;
  }
}

}  // namespace
}  // namespace coronado::web
