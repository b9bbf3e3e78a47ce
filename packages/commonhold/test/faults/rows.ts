import { featureNames } from './codes.js';
import type { Row } from './fault.js';

/** Nobody notices. */
export const unaffected: Row = Object.fromEntries(featureNames.map((feature) => [feature, 'OK > OK']));

/** The store is away for longer than leases last, and comes back as it was. */
export const away: Row = {
  CA: 'ST LD > OK',
  SE: 'ST UN BU > OK',
  RL: 'LL > OK',
  MA: 'ST BU > OK',
  LO: 'UN LE > LE TK',
  QU: 'UN > OK LE',
  PS: 'PL > OK RS',
  PR: 'PL > OK RB',
  CN: 'ST BU > OK',
  US: 'ST BU > OK',
};

/** The same, and it comes back without what it held. */
export const awayAndEmpty: Row = {
  CA: 'ST LD > LD',
  SE: 'ST UN BU > DL',
  RL: 'LL > OK',
  MA: 'ST BU > DL RB',
  LO: 'UN LE > LE TK',
  QU: 'UN > OK LE DL',
  PS: 'PL > RS',
  PR: 'PL > RB',
  CN: 'ST BU > DL',
  US: 'ST BU > DL',
};

/** Away for a moment, and back without the last second. */
export const cutOff: Row = {
  CA: 'OK ST LD > OK LD',
  SE: 'OK ST UN OU BU DL > OK DL',
  RL: 'OK LL OU UN > OK',
  MA: 'OK ST BU UN OU > OK DL',
  LO: 'OK UN OU LE > OK LE TK',
  QU: 'OK UN OU > OK LE DL',
  PS: 'OK PL UN OU > OK RS',
  PR: 'OK PL UN OU > OK RB',
  CN: 'OK ST BU UN OU > OK DL',
  US: 'OK ST BU UN OU DL > OK DL',
};

/** Some keys are gone, and others are not. */
export const evicted: Row = {
  CA: 'OK LD > OK LD',
  SE: 'OK DL > OK DL',
  RL: 'OK > OK',
  MA: 'OK DL > OK DL RB',
  LO: 'OK LE > OK LE TK',
  QU: 'OK > OK LE DL',
  PS: 'OK > OK RS',
  PR: 'OK DL > OK RB',
  CN: 'OK > OK DL',
  US: 'OK DL > OK DL',
};

/** It can be reached all the time and forgets everything at once. */
export const emptied: Row = {
  CA: 'OK LD > LD',
  SE: 'OK DL > DL',
  RL: 'OK > OK',
  MA: 'OK DL > DL RB',
  LO: 'OK LE > LE TK',
  QU: 'OK > OK LE DL',
  PS: 'OK > RS',
  PR: 'OK DL > OK RB',
  CN: 'OK > DL',
  US: 'OK DL > DL',
};

/** Answers are lost, so often that a lease may end: each call is done once, whatever its caller was told. */
export const flapping: Row = {
  CA: 'OK ST LD > OK',
  SE: 'OK ST UN OU BU > OK',
  RL: 'OK LL OU UN > OK',
  MA: 'OK ST BU UN OU > OK',
  LO: 'OK UN OU LE > OK LE TK',
  QU: 'OK UN OU > OK LE',
  PS: 'OK PL UN OU > OK',
  PR: 'OK PL UN OU > OK RB',
  CN: 'OK ST BU UN OU > OK',
  US: 'OK ST BU UN OU > OK',
};

/** It can be read, and takes no writes. */
export const readOnly: Row = {
  CA: 'OK ST LD > OK LD',
  SE: 'OK ST UN EX BU > OK',
  RL: 'LL > OK',
  MA: 'OK ST BU > OK',
  LO: 'UN EX LE > OK LE TK',
  QU: 'UN EX > OK LE',
  PS: 'PL > OK RS',
  PR: 'OK PL > OK RB',
  CN: 'OK ST BU > OK',
  US: 'OK ST BU > OK',
};
