import { type Html, html } from '../../dashboard/view/html.ts';
import { documentMarkup } from '../../dashboard/view/page.ts';

/** Returns the page on which a user logs in. @param problem what was wrong with the token before, for people */
export function loginMarkup(problem: string | undefined): string {
  const complaint: Html | undefined = problem === undefined ? undefined : html`<p role="alert">${problem}</p>`;
  return documentMarkup(
    'Log in',
    html`<main class="message">
      <form method="post" action="./login">
        <h1>Diskpress</h1>
        <p>
          Log in with a token of the cluster. You see what you may list. A ServiceAccount has a token by
          <code>kubectl create token NAME</code>.
        </p>
        ${complaint}
        <label
          >Token
          <input type="password" name="token" autocomplete="off" spellcheck="false" required />
        </label>
        <button type="submit">Log in</button>
      </form>
    </main>`,
    false,
  );
}
