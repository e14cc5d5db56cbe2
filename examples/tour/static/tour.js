// Starts every part of the tour's page.

import { colourListings } from "./code.js";
import { startLive } from "./live.js";
import { startSleepers } from "./sleepers.js";
import { startTasks } from "./tasks.js";
import { startTimeline } from "./timeline.js";
import { startTree } from "./tree.js";

colourListings();
startLive();
startSleepers();
startTimeline();
startTree();
startTasks();
