/// Everything a web application needs: the umbrella over web, http, coroutines and `serve`.
///
/// For applications; the library's own files include what they use.
#pragma once

#include <coronado/coro/combine.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/headers.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/http/negotiation.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/loop/thread_pool.hpp>
#include <coronado/ops/serve.hpp>
#include <coronado/web/application.hpp>
#include <coronado/web/cors.hpp>
#include <coronado/web/event_stream.hpp>
#include <coronado/web/form.hpp>
#include <coronado/web/function_handler.hpp>
#include <coronado/web/json.hpp>
#include <coronado/web/locale.hpp>
#include <coronado/web/matcher.hpp>
#include <coronado/web/openapi.hpp>
#include <coronado/web/output_transform.hpp>
#include <coronado/web/request_handler.hpp>
#include <coronado/web/response.hpp>
#include <coronado/web/standard_handlers.hpp>
#include <coronado/web/standard_middleware.hpp>
#include <coronado/web/static_file_handler.hpp>
#include <coronado/web/static_files.hpp>
#include <coronado/web/stream_response.hpp>
#include <coronado/web/template.hpp>
