/// Described structs: name the members of a struct once, and JSON reads and writes it.
///
///     struct Point { int x; int y; };
///     BOOST_DESCRIBE_STRUCT(Point, (), (x, y))   // beside the struct, in its namespace
///
/// The macro is Boost.Describe's; the first list holds described bases, whose members count too.
/// This is the only header of the library that includes a third party's; include it where structs
/// are described.
///
/// Layer: base.
#pragma once

#include <coronado/base/json_typed.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>

namespace coronado {

template <class T>
  requires boost::describe::has_describe_members<T>::value
struct JsonMembers<T> {
  using type =
      boost::mp11::mp_rename<boost::describe::describe_members<
                                 T, boost::describe::mod_public | boost::describe::mod_inherited>,
                             JsonMemberList>;
};

}  // namespace coronado
