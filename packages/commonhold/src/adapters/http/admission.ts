import { rateLimitHeaders } from '../../rate-limit/headers.js';
import type { RateLimitVerdict } from '../../rate-limit/rate-limit-port.js';
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
    const { 'Retry-After': retryAfter, ...fields } = rateLimitHeaders(verdict, limit.policy);
    for (const [name, item] of Object.entries(fields)) addItem(headers, name, item);
    return retryAfter === undefined ? undefined : refusal(limit, verdict, retryAfter);
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

function refusal({ policy }: RateLimit, { limit }: RateLimitVerdict, retryAfter: string): Problem {
  const detail = `At most ${limit} in ${policy.windowMs / 1_000} s are allowed. Try again in ${retryAfter} s.`;
  const document = problemDocument(429, detail, {
    type: quotaExceeded,
    title: 'The quota is exceeded',
    members: { 'violated-policies': [policy.name] },
  });
  return { document, headers: { 'Retry-After': retryAfter } };
}
