import { child, children, type Element, textOf } from './xml.ts';

/** A session that somebody has with the server. */
export interface ListedSession {
  readonly key: string;
  readonly userAgent: string | undefined;
}

/** Returns the sessions in an answer about the property sessionList; none where the user may not see them. */
export function sessionsIn(answer: Element): ListedSession[] {
  const objects = children(child(answer, 'returnval'), 'objects');
  const values = objects.flatMap((object) => children(object, 'propSet')).map((property) => child(property, 'val'));
  return values
    .flatMap((value) => children(value, 'UserSession'))
    .map((session) => ({ key: textOf(session, 'key') ?? '', userAgent: textOf(session, 'userAgent') }));
}
