/// The part of a `TemplateRun` that users do not see.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_run.hpp>

#include <vector>

#include "web/template/evaluator.hpp"

namespace coronado::web::templates {

class CompiledRun final : public Evaluator {
 public:
  CompiledRun(const TemplateLimits& limits, const TemplateScope* scope, TemplateMemory& memory,
              Output& output);

  TemplateRun& run() noexcept { return run_; }
  const TemplateScope* scope() const noexcept { return scope_; }
  /// Where the first error that is not caught came from.
  std::uint32_t site() const noexcept { return run_.site_; }

 private:
  friend class coronado::web::TemplateRun;

  /// Lambdas of generated code are callable objects.
  TemplateValue call_lambda(const TemplateFunction& function, const TemplateCall& call) override;

  const TemplateScope* scope_;
  TemplateRun run_;
  std::vector<std::size_t> captures_;
  std::size_t lambda_depth_ = 0;
};

}  // namespace coronado::web::templates
