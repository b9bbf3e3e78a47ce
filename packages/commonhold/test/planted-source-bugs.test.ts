import { itNotices } from './planted-source-bugs.js';
import { spoolBugs } from './planted-spool-bugs.js';

// The others in `npm run test:deep`: each takes a second.
itNotices(spoolBugs.filter(({ always }) => always === true));
