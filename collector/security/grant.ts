import { type NamePattern, namePattern } from '../../otel/config/name-pattern.ts';
import {
  type Attributes,
  type AttributeValue,
  attributeOf,
  attributesKey,
  attributeText,
  mergeAttributes,
} from '../../otel/model/attributes.ts';
import type { GrantConfig, Permission } from '../config/auth-config.ts';
import type { Denial } from './denial.ts';

/** An entry of the configuration that somebody was let in by. */
export interface GrantSource {
  readonly who: string;
  readonly config: GrantConfig;
  readonly captures: readonly string[];
}

/** What a peer may do and write, from what it presented. */
export interface Grant {
  /** What it is made of: {@link grantFrom} makes the same of it. */
  readonly sources: readonly GrantSource[];
  /** Whom it is for, for the log: `client spiffe://…`, `token team-a`. */
  readonly who: string;
  permits(permission: Permission): boolean;
  /** Whether it may speak for a member. */
  permitsMember(memberId: string): boolean;
  /** Why a resource may not be written, or `undefined`. The sentence holds keys and what is forced. */
  resourceProblem(attributes: Attributes): string | undefined;
  /** What each resource gets. */
  readonly forced: Attributes;
}

/**
 * A grant of the configuration.
 * @param captures what the wildcards of a client's name stand for, which `{1}`, `{2}` in `agents` mean
 */
export function configuredGrant(who: string, config: GrantConfig, captures: readonly string[] = []): Grant {
  const members = config.agents.flatMap((pattern) => memberPattern(pattern, captures) ?? []);
  const forbidden = config.forbidden.map((pattern) => namePattern(pattern, { ignoreCase: false }));
  return {
    sources: [{ who, config, captures }],
    who,
    permits: (permission) => config.permissions.includes(permission),
    permitsMember: (memberId) => members.some((pattern) => pattern.test(memberId)),
    resourceProblem: (attributes) =>
      forcedProblem(config.forced, attributes) ?? forbiddenProblem(forbidden, attributes),
    forced: config.forced,
  };
}

/** What both permit, with what both force. */
export function bothGrants(a: Grant, b: Grant): Grant {
  return {
    sources: [...a.sources, ...b.sources],
    who: `${a.who}, ${b.who}`,
    permits: (permission) => a.permits(permission) && b.permits(permission),
    permitsMember: (memberId) => a.permitsMember(memberId) && b.permitsMember(memberId),
    // Where they force different values, what one of them forces contradicts the other whatever the resource says.
    resourceProblem: (attributes) =>
      forcedProblem(a.forced, b.forced) ?? a.resourceProblem(attributes) ?? b.resourceProblem(attributes),
    forced: mergeAttributes(a.forced, b.forced),
  };
}

/** The grant with these sources, or `undefined` where there are none. */
export function grantFrom(sources: readonly GrantSource[]): Grant | undefined {
  let grant: Grant | undefined;
  for (const { who, config, captures } of sources) {
    const next = configuredGrant(who, config, captures);
    grant = grant === undefined ? next : bothGrants(grant, next);
  }
  return grant;
}

/** A denial of something that the grant does not permit. */
export function notPermitted(grant: Grant, cause: Denial['cause'], reason: string): Denial {
  return { cause, reason, who: grant.who };
}

function memberPattern(pattern: string, captures: readonly string[]): NamePattern | undefined {
  let isUsable = true;
  const text = pattern.replace(/\{(\d)\}/g, (_, digit: string) => {
    const captured = captures[Number(digit) - 1];
    // A certificate's name may hold a wildcard of its own, which must not become one here.
    if (captured === undefined || /[*?]/.test(captured)) isUsable = false;
    return captured ?? '';
  });
  return isUsable ? namePattern(text, { ignoreCase: false }) : undefined;
}

function forcedProblem(forced: Attributes, attributes: Attributes): string | undefined {
  for (const [key, value] of forced) {
    const found = attributeOf(attributes, key);
    if (found === undefined || isSame(found, value)) continue;
    return `the attribute ${quotedText(key)} may be ${quotedText(attributeText(value))} only with these credentials, and it is ${quotedText(attributeText(found))}`;
  }
  return undefined;
}

function forbiddenProblem(forbidden: readonly NamePattern[], attributes: Attributes): string | undefined {
  for (const [key] of attributes)
    if (forbidden.some((pattern) => pattern.test(key)))
      return `the attribute ${quotedText(key)} may not be set with these credentials`;
  return undefined;
}

function isSame(a: AttributeValue, b: AttributeValue): boolean {
  return attributesKey([['', a]]) === attributesKey([['', b]]);
}

function quotedText(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
