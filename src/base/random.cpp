#include <coronado/base/random.hpp>

#include <random>

namespace coronado {

std::uint64_t random_seed() {
  std::random_device device;
  const std::uint64_t high = device();
  return (high << 32) | device() | 1U;
}

}  // namespace coronado
