#include <coronado/http/upgrade.hpp>

#include "http/httpserver_core.hpp"

namespace coronado {

UpgradedConnection::~UpgradedConnection() {
  unlink();
  if (server_ != nullptr) server_->connection_gone();
}

}  // namespace coronado
