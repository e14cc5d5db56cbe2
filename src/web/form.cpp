#include <coronado/web/form.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include "web/arguments.hpp"

namespace coronado {

Json json_schema_of(std::type_identity<HTTPFile>) {
  return Json{{"type", "string"}, {"contentMediaType", "application/octet-stream"}};
}

}  // namespace coronado

namespace coronado::web::detail {
namespace {

bool is_form(std::string_view content_type) {
  const std::string type = ascii_lower(trim(content_type.substr(0, content_type.find(';'))));
  return type == "application/x-www-form-urlencoded" || type == "multipart/form-data";
}

}  // namespace

FormReader::FormReader(const HTTPServerRequest& request) : request_(request) {
  const std::string_view type = request.header("Content-Type").value_or("");
  if (!is_form(type)) throw HTTPError(415, "expected a form, got \"" + std::string(type) + '"');
  form_arguments(request);
}

bool FormReader::has(std::string_view name) const {
  for (const std::string& text : all(name)) {
    if (!text.empty()) return true;
  }
  return !files(name).empty();
}

std::vector<std::string> FormReader::all(std::string_view name) const {
  return all_arguments(form_arguments(request_), name);
}

std::vector<HTTPFile> FormReader::files(std::string_view name) const {
  std::vector<HTTPFile> found;
  for (const HTTPFile& file : request_.files()) {
    if (file.name == name && !(file.filename.empty() && file.body.empty())) found.push_back(file);
  }
  return found;
}

void FormReader::note(std::string_view name, std::string message) {
  errors_.push_back({std::string(name), std::move(message)});
}

void read_form(const HTTPServerRequest& request, void* value,
               void (*read)(FormReader& reader, void* value), Validate validate) {
  FormReader reader(request);
  read(reader, value);
  auto errors = errors_of(value, validate, std::move(reader).errors());
  if (!errors.empty()) throw ValidationError(422, std::move(errors));
}

}  // namespace coronado::web::detail
