/// Everything about WebSockets: the umbrella for applications.
///
/// Tornado  `tornado.websocket`.
#pragma once

#include <coronado/http/websocket.hpp>
#include <coronado/http/websocket_client.hpp>
#include <coronado/web/websocket_handler.hpp>
