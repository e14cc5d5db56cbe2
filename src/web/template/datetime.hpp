/// `datetime`, as every template has it: Python's module, as far as templates use it.
///
/// datetime, date and timedelta; `timezone.utc` is the only time zone, and a datetime without one is
/// local time, as in Python.
///
/// Layer: web.   Spec  Python Library Reference: datetime.
#pragma once

#include <coronado/web/template_value.hpp>

namespace coronado::web::templates {

/// The module.
TemplateValue datetime_module() noexcept;

}  // namespace coronado::web::templates
