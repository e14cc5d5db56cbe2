/// Memory that renderings hand on to each other, and how deep they are nested.
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

/// One rendering inside others: a template whose module renders the template again would go on until
/// the stack ends.
class NestedRendering {
 public:
  /// Throws  TemplateFault  There are too many.
  NestedRendering() {
    if (depth() >= kMost) {
      throw TemplateFault(TemplateErrorClass::kLimit,
                          "templates rendered inside each other too deeply: does a function or "
                          "module of this one render it again?");
    }
    ++depth();
  }
  NestedRendering(const NestedRendering&) = delete;
  NestedRendering& operator=(const NestedRendering&) = delete;
  ~NestedRendering() { --depth(); }

 private:
  static constexpr std::size_t kMost = 50;
  static std::size_t& depth() noexcept {
    static thread_local std::size_t now = 0;
    return now;
  }
};

}  // namespace coronado::web::templates
