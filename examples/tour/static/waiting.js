import { startSleepers } from "./sleepers.js";
import { startTimeline } from "./timeline.js";

startSleepers();
startTimeline();
