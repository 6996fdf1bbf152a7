import { createHash } from 'node:crypto';
import { watchedResources } from '../../dashboard/board.ts';
import type { Access } from '../../dashboard/picture/access.ts';
import { type Watched, watchedNames } from '../../dashboard/rows/row.ts';
import { subjectAccessReviews } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { User } from './authentication.ts';
import { Remembered } from './remembered.ts';

/** Milliseconds for which a right counts that was found, or found missing. */
const LIFETIME_MILLISECONDS = 30_000;
/** Answers that are kept, over all users. */
const MOST_ANSWERS = 100_000;
/** Questions of one reader at the same time. */
const AT_ONCE = 16;
/** Namespaces that are asked about for one reader who may not list everywhere, in the order of their names. */
const MOST_NAMESPACES = 2_000;

/** Finds out what a user may list, by asking the API server. */
export class Rights {
  readonly #client: KubeClient;
  readonly #answers = new Remembered<boolean>(MOST_ANSWERS, LIFETIME_MILLISECONDS);

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * Returns what a user may list, in all namespaces or in some of these.
   *
   * @throws what the client throws
   */
  async accessOf(user: User, namespaces: readonly string[]): Promise<Access> {
    const asked = namespaces.toSorted().slice(0, MOST_NAMESPACES);
    const allowed = new Set<string>();
    const question = async (resource: Watched, namespace: string) => {
      if (await this.#mayList(user, resource, namespace)) allowed.add(`${resource}/${namespace}`);
    };
    await Promise.all(watchedNames.map((resource) => question(resource, '')));
    const questions = watchedNames
      .filter((resource) => !allowed.has(`${resource}/`))
      .flatMap((resource) => asked.map((namespace) => () => question(resource, namespace)))
      .values();
    const ask = async () => {
      for (const next of questions) await next();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    return {
      id: digest([...allowed].sort()),
      mayList: (resource, namespace) => allowed.has(`${resource}/`) || allowed.has(`${resource}/${namespace}`),
    };
  }

  async #mayList(user: User, resource: Watched, namespace: string): Promise<boolean> {
    const { name, uid, groups, extra } = user;
    return this.#answers.get(digest([name, uid, groups, extra, resource, namespace]), async () => {
      const { group, version, plural } = watchedResources[resource];
      const { status } = await this.#client.create(subjectAccessReviews, {
        spec: {
          user: name,
          ...(uid !== undefined && { uid }),
          groups: [...groups],
          extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])),
          resourceAttributes: { verb: 'list', group, version, resource: plural, namespace },
        },
      });
      return status?.allowed ?? false;
    });
  }
}

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64');
