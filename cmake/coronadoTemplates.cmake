# coronado_add_templates(target DIR [NAMESPACE name] [BUILD_TIME | RUN_TIME]
#                        [AUTOESCAPE function] [WHITESPACE mode])
#
# Makes a header of each template below DIR: DIR/blog/entry.html becomes <NAMESPACE/blog/entry.html.hpp>, which has the object
# NAMESPACE::blog_entry_html. NAMESPACE is the last part of DIR unless it is given. See docs/guide/templates.md.
#
# In debug builds the pages are rendered by the run-time engine from the files in DIR, so that editing one needs no build;
# BUILD_TIME compiles them there too, RUN_TIME nowhere.
function(coronado_add_templates target directory)
  cmake_parse_arguments(arg "BUILD_TIME;RUN_TIME" "NAMESPACE;AUTOESCAPE;WHITESPACE" "" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "coronado_add_templates: unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  cmake_path(ABSOLUTE_PATH directory BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
  if(NOT IS_DIRECTORY "${directory}")
    message(FATAL_ERROR "coronado_add_templates: there is no directory ${directory}")
  endif()
  if(NOT arg_NAMESPACE)
    cmake_path(GET directory FILENAME arg_NAMESPACE)
  endif()
  if(NOT arg_NAMESPACE MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    message(FATAL_ERROR "coronado_add_templates: '${arg_NAMESPACE}' is no namespace; give one with NAMESPACE")
  endif()
  if(arg_BUILD_TIME)
    set(how "")
  elseif(arg_RUN_TIME)
    set(how "--interpreted")
  else()
    set(how "$<$<CONFIG:Debug>:--interpreted>")
  endif()
  set(options "$<$<BOOL:${arg_AUTOESCAPE}>:--autoescape=${arg_AUTOESCAPE}>"
              "$<$<BOOL:${arg_WHITESPACE}>:--whitespace=${arg_WHITESPACE}>")

  set(made_in "${CMAKE_CURRENT_BINARY_DIR}/coronado_templates/${target}")
  set(headers)
  file(GLOB_RECURSE pages CONFIGURE_DEPENDS RELATIVE "${directory}" "${directory}/*")
  foreach(page IN LISTS pages)
    if(page MATCHES "(^|/)\\.")
      continue()  # hidden files are no templates
    endif()
    set(header "${made_in}/${arg_NAMESPACE}/${page}.hpp")
    add_custom_command(
      OUTPUT "${header}"
      COMMAND coronado::template_compiler "--directory=${directory}" "--name=${page}" "--namespace=${arg_NAMESPACE}"
              "--output=${header}" "--depfile=${header}.d" ${how} ${options}
      DEPENDS coronado::template_compiler $<$<NOT:$<BOOL:${how}>>:${directory}/${page}>
      DEPFILE "${header}.d"
      COMMENT "Template ${arg_NAMESPACE}/${page}"
      COMMAND_EXPAND_LISTS VERBATIM)
    list(APPEND headers "${header}")
  endforeach()
  target_sources(${target} PRIVATE ${headers})
  target_include_directories(${target} PRIVATE "${made_in}")
endfunction()
