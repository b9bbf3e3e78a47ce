import { parseArgs } from 'node:util';

/**
 * What the command was asked for.
 * @typedef {object} BenchArguments
 * @property {boolean} quick fewer and shorter samples, and no million keys
 * @property {boolean} json one JSON document on standard output, nothing else
 * @property {string} only a text that the titles of the lines to run hold, in any case; '' for all
 * @property {number} rounds samples of each
 * @property {number} sampleMs how long one sample of a rate takes
 */

export const usage =
  'Usage: npm run bench -- [--quick] [--only <text>] [--json] [--rounds <number>] [--sample <milliseconds>]';

/**
 * @param {string[]} args
 * @returns {BenchArguments}
 * @throws Error with the usage, for anything else
 */
export function parseArguments(args) {
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  const text = /** @type {const} */ ({ type: 'string', default: '' });
  const options = { quick: flag, json: flag, only: text, rounds: text, sample: text };
  try {
    const { quick, json, only, rounds, sample } = parseArgs({ args, options }).values;
    return {
      quick,
      json,
      only: only.toLowerCase(),
      rounds: count(rounds, quick ? 3 : 7),
      sampleMs: count(sample, quick ? 200 : 1000),
    };
  } catch (error) {
    throw new Error(`${String(error instanceof Error ? error.message : error)}\n${usage}`, { cause: error });
  }
}

function count(/** @type {string} */ text, /** @type {number} */ otherwise) {
  if (text === '') return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`A whole number from 1 was expected, not ${text}.`);
  return Number(text);
}
