# The libraries we stand on; tools/install-deps names their Debian packages. Install.cmake repeats this list for users.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto SSL)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)  # Debian ships no CMake package for it, nor for those below

pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(compression REQUIRED IMPORTED_TARGET zlib libbrotlienc libbrotlidec libzstd)
pkg_check_modules(argon2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(idn2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(uring REQUIRED IMPORTED_TARGET liburing)

# HTTPClient on libcurl.
pkg_check_modules(curl QUIET IMPORTED_TARGET libcurl)
option(CORONADO_CURL "Build the HTTP client's engine on libcurl" ${curl_FOUND})
if(CORONADO_CURL AND NOT curl_FOUND)
  message(FATAL_ERROR "CORONADO_CURL is ON, but pkg-config finds no libcurl")
endif()

# Wanted by one file each; that file does not compile without its library.
find_package(spdlog QUIET)
find_package(CLI11 QUIET)
set(coronado_optional_libraries)
if(spdlog_FOUND)
  list(APPEND coronado_optional_libraries spdlog::spdlog)
endif()
if(CORONADO_CURL)
  list(APPEND coronado_optional_libraries PkgConfig::curl)
endif()
if(CLI11_FOUND)
  list(APPEND coronado_optional_libraries "$<BUILD_INTERFACE:CLI11::CLI11>")  # header only: users need not have it
endif()

if(CORONADO_TESTS)
  find_package(GTest REQUIRED)
else()
  find_package(GTest QUIET)  # for the test kit
endif()
