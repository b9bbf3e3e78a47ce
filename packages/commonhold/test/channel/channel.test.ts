import { describe, it } from 'vitest';
import { channelConformance } from '../../src/testing/channel-conformance.js';
import { onEveryEngine } from '../engines.js';

onEveryEngine((kind) => channelConformance({ describe, it }, kind));
