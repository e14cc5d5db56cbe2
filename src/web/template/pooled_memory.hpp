/// Memory that renderings hand on to each other.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_value.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace coronado::web::templates {

/// Memory for one rendering, from what this thread has kept of earlier ones.
class PooledMemory {
 public:
  explicit PooledMemory(std::size_t limit) {
    auto& pool = kept();
    if (pool.empty()) {
      memory_ = std::make_unique<TemplateMemory>();
    } else {
      memory_ = std::move(pool.back());
      pool.pop_back();
    }
    memory_->set_limit(limit);
  }
  PooledMemory(const PooledMemory&) = delete;
  PooledMemory& operator=(const PooledMemory&) = delete;
  ~PooledMemory() {
    memory_->clear();
    auto& pool = kept();
    if (pool.size() < pool.capacity()) pool.push_back(std::move(memory_));
  }
  TemplateMemory& operator*() noexcept { return *memory_; }

 private:
  static std::vector<std::unique_ptr<TemplateMemory>>& kept() {
    static thread_local std::vector<std::unique_ptr<TemplateMemory>> pool = [] {
      std::vector<std::unique_ptr<TemplateMemory>> made;
      made.reserve(8);
      return made;
    }();
    return pool;
  }
  std::unique_ptr<TemplateMemory> memory_;
};

}  // namespace coronado::web::templates
