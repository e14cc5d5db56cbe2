#!/usr/bin/env python3
"""Fail when a source file has no test of the same name, a test does not begin with its own header, or a `Code` label in a
public header names a file that is not there.

    tools/check_mirror.py [root]
"""
import pathlib
import re
import sys

# Source file -> why it has no test file of its own name. An entry that is no longer true is an error.
NO_TEST_OF_ITS_OWN = {
    "src/base/html_entities.cpp": "a table; escape_test reads it through xhtml_unescape",
    "src/coro/source_place.cpp": "how dumps and traces name places; registry_test, await_trace_test",
    "src/http/client_connection.cpp": "what a fetch reads from; httpclient_test and httpclient_errors_test",
    "src/http/client_core.cpp": "what the fetches of a client share; httpclient_test, httpclient_proxy_test",
    "src/http/client_failure.cpp": "what HTTPClient throws; httpclient_errors_test",
    "src/http/client_fetch.cpp": "what HTTPClient does; httpclient_test and its kin",
    "src/http/curl_fetch.cpp": "what HTTPClient does with libcurl; the httpclient_engines tests",
    "src/http/client_next.cpp": "what HTTPClient sends next; httpclient_redirect_test, httpclient_auth_test",
    "src/http/client_receive.cpp": "what HTTPClient receives; httpclient_test and its kin",
    "src/http/client_request.cpp": "what HTTPClient sends; httpclient_test",
    "src/http/client_send.cpp": "how HTTPClient sends it; httpclient_test, httpclient_body_test",
    "src/http/proxy_dialog.cpp": "what HTTPClient says to proxies; httpclient_proxy_test",
    "src/http/compress_brotli.cpp": "compress_test runs on every coding",
    "src/http/compress_deflate.cpp": "compress_test runs on every coding",
    "src/http/compress_zstd.cpp": "compress_test runs on every coding",
    "src/http/http1_response.cpp": "what HTTP1Connection writes; http1_connection_test, httpserver_framing_test",
    "src/http/http1_timing.cpp": "the time limits of HTTP1Connection; httpserver_timeout_test",
    "src/http/websocket_closing.cpp": "how a WebSocketConnection ends; websocket_connection_test, websocket_cases_test",
    "src/http/websocket_sending.cpp": "how a WebSocketConnection sends; websocket_connection_test, websocket_test",
    "src/http/server_request.cpp": "a request comes from a server; the httpserver and request_handler tests",
    "src/loop/connecting_socket.cpp": "part of Reactor::connect; connect_test",
    "src/loop/epoll_reactor.cpp": "transport_test and reactor_test run on every reactor",
    "src/loop/kernel_tls.cpp": "system calls; tls_kernel_test asks the kernel, and an emulated one",
    "src/loop/sendfile.cpp": "part of the transports; transport_test runs on every reactor",
    "src/loop/uring_acceptor.cpp": "accept_test runs on every reactor",
    "src/loop/uring_transport.cpp": "transport_test runs on every reactor",
    "src/net/stream_info.cpp": "what dumps tell of a transport; iostream_test, tls_kernel_test, httpserver_tls_test",
    "src/web/template_error.cpp": "what errors say; compiler_test, template_parser_test, machine_test",
    "src/web/template_namespace.cpp": "names for templates; template_test",
    "src/web/template_types.cpp": "arguments of C++ functions; binding_test",
    "src/web/template/conversions.cpp": "functions of Python; python_test, builtins_test",
    "src/web/template/iterables.cpp": "functions of Python; python_test, builtins_test",
    "src/web/template/cpp_formats.cpp": "part of the generator; compiled_template_test and cpp_generator_test",
    "src/web/template/code_builder.cpp": "part of the template compiler; compiler_test and machine_test",
    "src/web/template/expression_compiler.cpp": "part of the template compiler; python_test and machine_test",
    "src/web/template/cpp_statements.cpp": "part of the generator; compiled_template_test and cpp_generator_test",
    "src/web/template/cpp_expressions.cpp": "part of the generator; compiled_template_test and cpp_generator_test",
    "src/web/template/cpp_names.cpp": "part of the generator; compiled_template_test and cpp_generator_test",
    "src/web/template_run.cpp": "what generated templates do; compiled_template_test",
    "src/web/template/arithmetic.cpp": "operators; operators_test, python_test",
    "src/web/template/comparison.cpp": "operators; operators_test, python_test",
    "src/web/template/subscripts.cpp": "operators; operators_test, python_test",
    "src/web/template/calendar.cpp": "what is behind datetime; datetime_test",
    "src/web/template/format_number.cpp": "the quick half of format_spec; format_spec_test compares both",
    "src/web/template/expression_displays.cpp": "part of the parser; expression_parser_test, python_test",
    "src/web/template/expression_strings.cpp": "part of the parser; expression_parser_test, python_test",
    "src/web/template/control_steps.cpp": "what the machine does; machine_test",
    "src/web/template/operator_steps.cpp": "what the machine does; machine_test, python_test",
    "src/web/template/output_steps.cpp": "what the machine does; machine_test, simplify_test",
    "src/web/template/value_steps.cpp": "what the machine does; machine_test, binding_test",
    "src/web/template/evaluator.cpp": "what both engines do with values; machine_test, binding_test",
    "src/web/template/iteration.cpp": "what loops do; machine_test, binding_test",
    "src/web/template/linker.cpp": "what both engines begin with; compiler_test",
    "src/web/template/objects.cpp": "the containers of templates; container_methods_test, operators_test",
    "src/net/proxy_transport.cpp": "what a Listener puts before a connection; listener_test",
    "src/net/resolver_ares_channel.cpp": "how the resolver asks; resolver_ares_test",
    "src/net/stream_core.cpp": "what stands behind IOStream; iostream_test and its kin",
    "src/net/stream_file.cpp": "IOStream::send_file; iostream_file_test",
    "src/net/stream_operations.cpp": "the reads and writes of IOStream; iostream_test and its kin",
    "src/net/tls_openssl.cpp": "certificates and errors as text; tls_test",
    "src/net/tls_openssl_context.cpp": "what is behind a TLSContext; tls_context_test, and tls_test for what it does",
    "src/net/tls_openssl_errors.cpp": "each error comes from a handshake; tls_test",
    "src/net/tls_openssl_files.cpp": "what a TLSContext reads; tls_context_test",
    "src/net/tls_openssl_kernel.cpp": "the keys that the kernel is given; tls_kernel_test",
    "src/net/tls_openssl_tickets.cpp": "tickets are seen in resumed sessions; tls_test",
    "src/net/tls_openssl_transport.cpp": "what tls_handshake makes; tls_test",
    "src/testing/sim_core.cpp": "what a SimNetwork is made of; sim_network_test and sim_connection_test",
    "src/web/auth/fetch_json.cpp": "how providers are asked; oauth2_test, oauth1_test",
    "src/web/auth/jwt_key.cpp": "the keys that sign tokens; jwt_test",
    "src/web/session_manager.cpp": "what the middleware sessions does; session_test",
    "src/web/exchange.cpp": "extensions of a request; middleware_test",
    "src/web/error_response.cpp": "what becomes of exceptions; request_handler_test, function_handler_test",
    "src/web/extractors.cpp": "what handlers take; function_handler_test",
    "src/web/locale_names.cpp": "a table; locale_test",
    "src/web/host_pattern.cpp": "part of routing; routing_test",
    "src/web/openapi_page.cpp": "text; openapi_test, tests/browser/openapi_test.py",
    "src/web/problem.cpp": "errors as JSON; form_test, json_test, error_response in request_handler_test",
    "src/web/regex_outline.cpp": "part of routing; routing_test",
    "src/web/route_pattern.cpp": "part of routing; routing_test",
    "src/web/static_loader.cpp": "what StaticFiles does in a thread; static_files_test",
    "src/web/static_response.cpp": "how StaticFiles answers; static_files_test",
    "src/web/route_table.cpp": "part of routing; routing_test and route_property_test",
}

FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)', re.MULTILINE)
CODE_LABEL = re.compile(r"///\s*(?:.*\s{2,})?Code\s{2,}(.*(?:\n\s*///\s{6,}\S.*)*)")
FILE_NAME = re.compile(r"\b(?:include|src|tests|examples|bench|docs)/[\w/.+-]*\w")


def check_tests(root, allowed):
    bad = []
    for source in sorted((root / "src").rglob("*.cpp")):
        path = source.relative_to(root).as_posix()
        test = "tests" + path.removeprefix("src").removesuffix(".cpp") + "_test.cpp"
        exists = (root / test).exists()
        if path in allowed and exists:
            bad.append(f"{path}:1: has {test}; take it off the list in tools/check_mirror.py")
        elif path not in allowed and not exists:
            bad.append(f"{path}:1: {test} is missing")
    bad += [f"{path}:1: listed in tools/check_mirror.py, but gone" for path in allowed if not (root / path).exists()]
    return bad


def check_first_includes(root):
    """A test includes its own header first, which proves that the header needs nothing before it."""
    bad = []
    for test in sorted((root / "tests").rglob("*_test.cpp")):
        path = test.relative_to(root).as_posix()
        own = path.removeprefix("tests/").removesuffix("_test.cpp") + ".hpp"
        if (root / "include/coronado" / own).exists():
            wanted = f"coronado/{own}"
        elif (root / "src" / own).exists():
            wanted = own
        else:
            continue
        first = FIRST_INCLUDE.search(test.read_text())
        if not first or first.group(1) != wanted:
            bad.append(f"{path}:1: the first include is not {wanted}")
    return bad


def check_code_labels(root):
    bad = []
    for header in sorted((root / "include").rglob("*.hpp")):
        text = header.read_text()
        for label in CODE_LABEL.finditer(text):
            line = text.count("\n", 0, label.start()) + 1
            for name in FILE_NAME.findall(label.group(1)):
                if not (root / name).exists():
                    bad.append(f"{header.relative_to(root).as_posix()}:{line}: Code names {name}, which is not there")
    return bad


def main(root):
    bad = check_tests(root, NO_TEST_OF_ITS_OWN) + check_first_includes(root) + check_code_labels(root)
    print("\n".join(bad) or "every source has its test")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
