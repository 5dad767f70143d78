import type { StatusView } from './view.ts';

/** What of an installation is a change when it changes: not the ages in what is said of it, which go on by themselves. */
export function essenceOf(view: StatusView): string {
  return JSON.stringify(view, (key, value) =>
    typeof value === 'string' && statements.includes(key) ? value.replaceAll(duration, '') : value,
  );
}

const statements = ['reason', 'state', 'message', 'unseen'];
const duration = /\b(?:\d+(?:\.\d+)?(?:ms|[smhdy]))+\b/g;
