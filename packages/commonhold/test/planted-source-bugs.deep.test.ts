import { itNotices } from './planted-source-bugs.js';
import { spoolBugs } from './planted-spool-bugs.js';

itNotices(spoolBugs);
