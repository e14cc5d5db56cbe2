#include <coronado/coro/frame_pool.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace coronado::detail {
namespace {

using Block = std::pair<void*, std::size_t>;

/// Takes blocks of all sizes and fills them, so that overlaps would be seen.
std::vector<Block> take_blocks(int rounds, unsigned char fill) {
  std::vector<Block> blocks;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t size = 1; size <= FramePool::kLargest + 200; size += 37) {
      void* place = FramePool::allocate(size);
      std::memset(place, fill, size);
      blocks.emplace_back(place, size);
    }
  }
  return blocks;
}

void expect_filled(const std::vector<Block>& blocks, unsigned char fill) {
  for (const auto& [place, size] : blocks) {
    const auto* bytes = static_cast<const unsigned char*>(place);
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(bytes[i], fill);
  }
}

void give_back(const std::vector<Block>& blocks) {
  for (const auto& [place, size] : blocks) FramePool::deallocate(place, size);
}

TEST(FramePool, BlocksAreAlignedAndDoNotOverlap) {
  const std::vector<Block> ours = take_blocks(50, 0xAB);
  const std::vector<Block> others = take_blocks(50, 0xCD);
  for (const auto& [place, size] : ours) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(place) % alignof(std::max_align_t), 0U);
  }
  expect_filled(ours, 0xAB);
  give_back(ours);
  expect_filled(others, 0xCD);
  give_back(others);
}

TEST(FramePool, AFreedBlockIsTheNextOfItsSize) {
  if (CORONADO_SANITIZED) {
    void* place = FramePool::allocate(100);  // from the heap, where the sanitizer sees it
    EXPECT_NE(place, nullptr);
    FramePool::deallocate(place, 100);
    return;
  }
  void* first = FramePool::allocate(100);
  void* second = FramePool::allocate(100);
  FramePool::deallocate(first, 100);
  FramePool::deallocate(second, 97);  // the same class of 16 bytes
  EXPECT_EQ(FramePool::allocate(112), second);
  EXPECT_EQ(FramePool::allocate(101), first);
  FramePool::deallocate(first, 101);
  FramePool::deallocate(second, 112);
}

TEST(FramePoolThreads, BlocksMayBeFreedOnAnotherThread) {
  for (int round = 0; round < 20; ++round) {
    std::vector<Block> blocks;
    std::thread([&] { blocks = take_blocks(5, 0x11); }).join();
    expect_filled(blocks, 0x11);
    std::vector<Block> ours = take_blocks(5, 0x22);
    std::thread([&] { give_back(blocks); }).join();
    expect_filled(ours, 0x22);
    give_back(ours);
  }
}

TEST(FramePoolThreads, ManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (unsigned char id = 1; id <= 8; ++id) {
    threads.emplace_back([id] {
      for (int round = 0; round < 20; ++round) {
        const std::vector<Block> blocks = take_blocks(10, id);
        expect_filled(blocks, id);
        give_back(blocks);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(FramePoolThreads, AThreadLeavesItsBlocksToThoseThatComeAfterIt) {
  if (CORONADO_SANITIZED) return give_back(take_blocks(1, 1));
  constexpr std::size_t kSize = 1008;  // a size nothing else here uses so often
  constexpr std::size_t kCount = 500;
  std::set<void*> first;
  std::thread([&] {
    for (std::size_t i = 0; i < kCount; ++i) first.insert(FramePool::allocate(kSize));
    for (void* place : first) FramePool::deallocate(place, kSize);
  }).join();
  std::size_t reused = 0;
  std::thread([&] {
    std::vector<void*> places;
    for (std::size_t i = 0; i < kCount; ++i) places.push_back(FramePool::allocate(kSize));
    for (void* place : places) {
      reused += first.count(place);
      FramePool::deallocate(place, kSize);
    }
  }).join();
  EXPECT_EQ(reused, kCount);
}

}  // namespace
}  // namespace coronado::detail
