/// `IntrusiveList<T>`: a doubly linked list whose links live inside the elements.
///
/// Linking allocates nothing and cannot fail, and an element takes itself out in constant time:
/// what waiters, timers and tasks need. An element belongs to at most one list at a time, and is
/// not owned by it.
///
/// Layer: base.
#pragma once

#include <cstddef>

namespace coronado {

/// The links; derive from it to become an element.
class ListHook {
 public:
  ListHook() noexcept = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;

  bool linked() const noexcept { return next_ != nullptr; }

  /// Takes the element out of its list; nothing happens when it is in none.
  void unlink() noexcept {
    if (next_ == nullptr) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    next_ = prev_ = nullptr;
  }

 private:
  template <class>
  friend class IntrusiveList;
  ListHook* next_ = nullptr;
  ListHook* prev_ = nullptr;
};

/// A circular list around one sentinel. `T` derives from `ListHook`.
template <class T>
class IntrusiveList {
 public:
  IntrusiveList() noexcept { head_.next_ = head_.prev_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const noexcept { return head_.next_ == &head_; }
  void push_back(T& element) noexcept { insert(head_.prev_, element); }
  void push_front(T& element) noexcept { insert(&head_, element); }
  T& front() noexcept { return *static_cast<T*>(head_.next_); }
  const T& front() const noexcept { return *static_cast<const T*>(head_.next_); }

  T& pop_front() noexcept {
    T& first = front();
    static_cast<ListHook&>(first).unlink();
    return first;
  }

  /// The list that would be empty without `element`, or null when it is not the only one there.
  static IntrusiveList* only_element_of(T& element) noexcept {
    const ListHook& hook = element;
    // The sentinel is the first member of its list.
    return hook.next_ == hook.prev_ ? reinterpret_cast<IntrusiveList*>(hook.next_) : nullptr;
  }

  /// Counts the elements: linear.
  std::size_t size() const noexcept {
    std::size_t n = 0;
    for (const ListHook* hook = head_.next_; hook != &head_; hook = hook->next_) ++n;
    return n;
  }

  /// Moves every element of `other` to the end of this list.
  void splice(IntrusiveList& other) noexcept {
    if (other.empty()) return;
    ListHook* first = other.head_.next_;
    ListHook* last = other.head_.prev_;
    other.head_.next_ = other.head_.prev_ = &other.head_;
    first->prev_ = head_.prev_;
    head_.prev_->next_ = first;
    last->next_ = &head_;
    head_.prev_ = last;
  }

  /// Calls `visit(T&)` for each element in order. The visitor may unlink the element it is given.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (ListHook* hook = head_.next_; hook != &head_;) {
      ListHook* next = hook->next_;
      visit(*static_cast<T*>(hook));
      hook = next;
    }
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const ListHook* hook = head_.next_; hook != &head_; hook = hook->next_) {
      visit(*static_cast<const T*>(hook));
    }
  }

 private:
  static void insert(ListHook* before, ListHook& hook) noexcept {
    hook.prev_ = before;
    hook.next_ = before->next_;
    before->next_->prev_ = &hook;
    before->next_ = &hook;
  }

  ListHook head_;
};

}  // namespace coronado
