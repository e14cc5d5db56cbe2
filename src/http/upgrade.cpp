#include <coronado/http/upgrade.hpp>

#include "http/httpserver_core.hpp"

namespace coronado {

UpgradedConnection::~UpgradedConnection() {
  if (server_ == nullptr) return;
  unlink();
  server_->connection_gone();
}

}  // namespace coronado
