/// A response that is changed on its way out.
#pragma once

#include <coronado/http/exchange.hpp>
#include <coronado/http/output_transform.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coronado {

/// The transforms of one response, in the order of their calls once they run.
struct HTTPExchange::Transformed {
  std::vector<std::unique_ptr<OutputTransform>> chain;
  bool running = false;
  /// What the handler has promised in Content-Length, and what it has written so far.
  std::optional<std::uint64_t> promised;
  std::uint64_t written = 0;

  /// Calls `transform_first_chunk` of all; those that do not change the body leave the chain.
  void begin(int& status, HeaderBlock& fields, std::string& chunk, bool finishing);
  void piece(std::string& chunk, bool finishing);
};

}  // namespace coronado
