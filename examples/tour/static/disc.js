// A disc of dots, laid out like the seeds of a sunflower, whose dots glow and fade.

import { calm } from "./api.js";

const kGoldenAngle = Math.PI * (3 - Math.sqrt(5));
const kShades = 16;
const kFadeMs = 260;

export class Disc {
  /** Draws into `canvas` with `count` dark dots. Colours are [r, g, b] triples. */
  constructor(canvas, { count, dark, bright }) {
    this.canvas_ = canvas;
    this.palette_ = Array.from({ length: kShades }, (_, i) => mix(dark, bright, i / (kShades - 1)));
    this.frame_ = 0;
    this.setCount(count);
    new ResizeObserver(() => this.resize_()).observe(canvas);
    calm.addEventListener("change", () => this.wake_());
  }

  get count() {
    return this.level_.length;
  }

  /** Replace the dots by `count` dark ones. */
  setCount(count) {
    this.level_ = new Float32Array(count);
    this.target_ = new Float32Array(count);
    this.start_ = new Float64Array(count);
    this.wake_();
  }

  /** Let dot `index` move to `level` (0 dark, 1 bright), beginning `delayMs` from now. */
  fade(index, level, delayMs = 0) {
    if (this.target_[index] === level) return;
    this.target_[index] = level;
    this.start_[index] = performance.now() + delayMs;
    this.wake_();
  }

  /** Make dot `index` bright at once and let it fade to dark. */
  spark(index) {
    this.level_[index] = 1;
    this.target_[index] = 0;
    this.start_[index] = performance.now();
    this.wake_();
  }

  resize_() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.canvas_.width = Math.round(this.canvas_.clientWidth * ratio);
    this.canvas_.height = Math.round(this.canvas_.clientHeight * ratio);
    this.wake_();
  }

  wake_() {
    if (this.frame_) return;
    this.last_ = performance.now();
    this.frame_ = requestAnimationFrame((now) => this.step_(now));
  }

  step_(now) {
    const keep = calm.matches ? 0 : Math.exp(-(now - this.last_) / kFadeMs);
    this.last_ = now;
    let moving = false;
    for (let i = 0; i < this.level_.length; ++i) {
      const distance = this.level_[i] - this.target_[i];
      if (distance === 0) continue;
      if (!calm.matches && now < this.start_[i]) {
        moving = true;
      } else if (Math.abs(distance) < 0.02) {
        this.level_[i] = this.target_[i];
      } else {
        this.level_[i] = this.target_[i] + distance * keep;
        moving = true;
      }
    }
    this.draw_();
    this.frame_ = moving ? requestAnimationFrame((next) => this.step_(next)) : 0;
  }

  draw_() {
    const { width, height } = this.canvas_;
    const context = this.canvas_.getContext("2d");
    const count = this.level_.length;
    const spacing = Math.min(width, height) / 2 / (Math.sqrt(count) + 0.7);
    const radius = spacing * 0.62;
    const shades = Array.from({ length: kShades }, () => new Path2D());
    for (let i = 0; i < count; ++i) {
      const distance = spacing * Math.sqrt(i + 0.5);
      const x = width / 2 + distance * Math.cos(i * kGoldenAngle);
      const y = height / 2 + distance * Math.sin(i * kGoldenAngle);
      const path = shades[Math.round(this.level_[i] * (kShades - 1))];
      path.moveTo(x + radius, y);
      path.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.clearRect(0, 0, width, height);
    shades.forEach((path, i) => {
      context.fillStyle = this.palette_[i];
      context.fill(path);
    });
  }
}

function mix(from, to, part) {
  return `rgb(${from.map((c, i) => Math.round(c + (to[i] - c) * part)).join(" ")})`;
}
