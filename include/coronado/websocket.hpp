/// Everything about WebSockets: the umbrella for applications.
///
/// Tornado  `tornado.websocket`.
#pragma once

#include <coronado/http/prepared_message.hpp>
#include <coronado/http/websocket.hpp>
#include <coronado/http/websocket_client.hpp>
#include <coronado/http/websocket_reconnect.hpp>
#include <coronado/http/websocket_topic.hpp>
#include <coronado/web/websocket_handler.hpp>
