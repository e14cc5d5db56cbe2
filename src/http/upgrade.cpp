#include <coronado/http/upgrade.hpp>

#include "http/httpserver_core.hpp"
#include "net/stream_info.hpp"

namespace coronado {

UpgradedConnection::~UpgradedConnection() {
  unlink();
  if (server_ != nullptr) server_->connection_gone();
}

StreamInfo UpgradedConnection::stream_info() const { return detail::stream_info(nullptr); }

}  // namespace coronado
