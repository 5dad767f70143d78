/** What of something that is watched is a change when it changes: not the ages in what is said of it, which grow by themselves. */
export function essenceOf(view: object): string {
  return JSON.stringify(view, (key, value) =>
    typeof value === 'string' && statements.includes(key) ? value.replaceAll(duration, '') : value,
  );
}

const statements = ['reason', 'state', 'why', 'message', 'unseen'];
const duration = /\b(?:\d+(?:\.\d+)?(?:ms|[smhdy]))+\b/g;
