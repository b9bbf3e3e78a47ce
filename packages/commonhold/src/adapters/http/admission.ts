import { rateLimitHeaders } from '../../rate-limit/headers.js';
import type { PolicyVerdict, RateLimitVerdict } from '../../rate-limit/verdict.js';
import type { RateLimit } from '../../rate-limit/rate-limit.js';
import { type Problem, problemDocument, storeProblem } from './problem.js';
import type { ResponseHeaders } from './response-headers.js';

const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

/**
 * Counts a hit of `subject` and says so in the headers of the answer. Returns the problem to answer with when the hit is
 * refused, or the store cannot tell; undefined when it is admitted.
 */
export async function admit(limit: RateLimit, subject: string, headers: ResponseHeaders): Promise<Problem | undefined> {
  try {
    const verdict = await limit.consume(subject);
    const { 'Retry-After': retryAfter, ...fields } = rateLimitHeaders(verdict);
    for (const [name, item] of Object.entries(fields)) addItem(headers, name, item);
    return verdict.allowed ? undefined : refusal(verdict, retryAfter);
  } catch (error) {
    const problem = storeProblem(error);
    if (problem === undefined) throw error;
    return problem;
  }
}

// Each limit that a request passes is one item of the same two lists.
function addItem(headers: ResponseHeaders, name: string, item: string): void {
  if (headers.isSent()) return;
  const items = headers.get(name);
  headers.set(name, items === undefined ? item : `${String(items)}, ${item}`);
}

function refusal(verdict: RateLimitVerdict, retryAfter: string | undefined): Problem {
  if (retryAfter === undefined) return { document: problemDocument(403, 'This client is not admitted.'), headers: {} };
  const document = problemDocument(429, `${refusedBy(verdict)} Try again in ${retryAfter} s.`, {
    type: quotaExceeded,
    title: 'The quota is exceeded',
    members: { 'violated-policies': violated(verdict).map(({ name }) => name) },
  });
  return { document, headers: { 'Retry-After': retryAfter } };
}

function refusedBy(verdict: RateLimitVerdict): string {
  if (verdict.reason === 'blocked') return 'This client is blocked for a time.';
  const limits = violated(verdict).map(
    ({ limit, windowMs }) => `At most ${limit} in ${windowMs / 1_000} s are allowed.`,
  );
  return limits.join(' ');
}

function violated({ policies }: RateLimitVerdict): readonly PolicyVerdict[] {
  return policies.filter(({ retryAfterMs }) => retryAfterMs > 0);
}
