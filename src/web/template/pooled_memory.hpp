/// Memory that renderings hand on to each other, and how deep they are nested.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_value.hpp>

#include <array>
#include <cstddef>

namespace coronado::web::templates {

/// Memory for one rendering, from what this thread has kept of earlier ones.
class PooledMemory {
 public:
  explicit PooledMemory(std::size_t limit) {
    Pool& pool = kept();
    memory_ = pool.size == 0 ? new TemplateMemory : pool.memories[--pool.size];
    memory_->set_limit(limit);
  }
  PooledMemory(const PooledMemory&) = delete;
  PooledMemory& operator=(const PooledMemory&) = delete;
  ~PooledMemory() {
    memory_->clear();
    Pool& pool = kept();
    if (pool.size < pool.memories.size()) {
      pool.memories[pool.size++] = memory_;
    } else {
      delete memory_;
    }
  }
  TemplateMemory& operator*() noexcept { return *memory_; }

 private:
  struct Pool {
    std::array<TemplateMemory*, 8> memories{};
    std::size_t size = 0;
    ~Pool() {
      while (size > 0) delete memories[--size];
    }
  };
  static Pool& kept() {
    static thread_local Pool pool;
    return pool;
  }
  TemplateMemory* memory_;
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
