/// Logins: passwords, sessions, tokens and providers. For applications; the library's own files include
/// what they use.
///
/// Tornado  `tornado.auth`, and what it leaves to others.
#pragma once

#include <coronado/web/auth/auth_error.hpp>
#include <coronado/web/auth/jwks_cache.hpp>
#include <coronado/web/auth/jwt.hpp>
#include <coronado/web/auth/oauth1.hpp>
#include <coronado/web/auth/oauth2.hpp>
#include <coronado/web/auth/openid.hpp>
#include <coronado/web/auth/password.hpp>
#include <coronado/web/authenticated.hpp>
#include <coronado/web/security.hpp>
#include <coronado/web/session.hpp>
#include <coronado/web/signed_value.hpp>
#include <coronado/web/xsrf.hpp>
