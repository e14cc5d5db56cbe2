/// The part of a `TemplateRun` that users do not see.
///
/// Layer: web.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/web/template_run.hpp>

#include <algorithm>
#include <vector>

#include "web/template/evaluator.hpp"

namespace coronado::web::templates {

class CompiledRun final : public Evaluator {
 public:
  CompiledRun(const TemplateLimits& limits, const TemplateScope* scope, TemplateMemory& memory,
              Output& output);

  TemplateRun& run() noexcept { return run_; }
  /// Pieces of at least so many bytes go to `write`, which must outlive the run.
  void set_pieces(Function<Task<>(std::string_view)>& write, std::size_t piece_size) noexcept {
    write_ = &write;
    run_.piece_size_ = std::max<std::size_t>(piece_size, 1);
  }
  const TemplateScope* scope() const noexcept { return scope_; }
  /// Where the first error that is not caught came from.
  std::uint32_t site() const noexcept { return run_.site_; }

 private:
  friend class coronado::web::TemplateRun;

  /// Lambdas of generated code are callable objects.
  TemplateValue call_lambda(const TemplateFunction& function, const TemplateCall& call) override;

  const TemplateScope* scope_;
  Function<Task<>(std::string_view)>* write_ = nullptr;
  TemplateRun run_;
  std::vector<std::size_t> captures_;
  std::size_t lambda_depth_ = 0;
};

}  // namespace coronado::web::templates
