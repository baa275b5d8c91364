// The strings of the notice, in English and French. Hosts pass strings of their own for other languages or other words.
import type { Decision, ListAbout, UncheckedReason, Verdict } from "../types/types.js";

/** The strings of the notice. `{file}`, `{list}` and `{category}` are replaced by names. */
export interface NoticeStrings {
  titleHeld: string;
  titleUnchecked: string;
  /** The title for a file that passed although it could not be checked. */
  titlePassed: string;
  /** Follows `possible` or `confirmed` for a film: where in it frames matched. `{ranges}` is filled in. */
  seconds: string;
  possible: string;
  confirmed: string;
  /** Says that a possible match may be wrong. */
  doubt: string;
  /** Says that nothing was sent. */
  onDevice: string;
  /** Says that hashes were sent, because the host asked a service. */
  asked: string;
  unchecked: Record<UncheckedReason, string>;
  /** Follows `unchecked`: says that the file was held. */
  uncheckedHeld: string;
  uncheckedPassed: string;
  options: string;
  chooseAnother: string;
  review: string;
  learnMore: string;
  /** Shown by "learn more" if the host has no page of its own. */
  explanation: string;
  /** Shown if the page doesn't handle a request for review. */
  noReview: string;
  support: string;
  /** The heading above the names of those who decide what is listed. */
  decides: string;
  /** `{list}` and `{curators}` are filled in. */
  decidedBy: string;
  /** `{jurisdiction}` is filled in. */
  jurisdiction: string;
  /** Labels of links. */
  policy: string;
  appeals: string;
  close: string;
  /** Shown while a file is being checked. */
  checking: string;
}

export const ENGLISH: NoticeStrings = {
  titleHeld: "Your upload was held",
  titleUnchecked: "Your upload could not be checked",
  titlePassed: "Not checked",
  seconds: "In the film: {ranges}.",
  possible: "“{file}” may match a picture on the list “{list}” ({category}).",
  confirmed:
    "“{file}” matches a picture on the list “{list}” ({category}). The service that this site asked has confirmed it.",
  doubt: "This is a possible match. It can be a mistake, and it says nothing about you.",
  onDevice: "The check was made on this device. Nothing about the file was sent anywhere.",
  asked:
    "The check was made on this device. Hashes of the file, but not the file, were sent to the service that this site asks.",
  unchecked: {
    unreadable: "“{file}” could not be read. It may be damaged.",
    "not-a-picture": "“{file}” is not a picture.",
    "unsupported-picture": "“{file}” is a picture in a format that can’t be checked here.",
    "unsupported-film": "“{file}” is a film that can’t be checked here.",
    "invalid-input": "“{file}” could not be read as a file.",
    "too-many-candidates": "“{file}” could not be checked completely.",
    "too-large": "“{file}” is too large to be checked.",
    incomplete: "“{file}” could not be checked completely.",
    "canvas-noise": "Your browser's privacy settings keep “{file}” from being checked.",
    "engine-failed": "The check of “{file}” failed.",
    unavailable: "“{file}” could not be checked, as the check is not available at the moment.",
  },
  uncheckedHeld: "It was not uploaded. You can try again, or choose another file.",
  uncheckedPassed: "This site lets such files through all the same.",
  options: "What you can do",
  chooseAnother: "Choose another file",
  review: "Ask for a review",
  learnMore: "Learn more",
  explanation:
    "This site compares pictures with lists of known harmful pictures before they are uploaded. Your browser computes a fingerprint of the picture and compares it on your device. Similar-looking pictures can match by chance, which is why a match is a question and not an accusation.",
  noReview: "This site has not set up reviews here. Please contact it directly.",
  support: "Help and support",
  decides: "Who decides, and how to object",
  decidedBy: "The list “{list}” is kept by: {curators}.",
  jurisdiction: "They say that they act under: {jurisdiction}.",
  policy: "What they list, and why",
  appeals: "Object to an entry of the list",
  close: "Close",
  checking: "Checking on this device",
};

export const FRENCH: NoticeStrings = {
  titleHeld: "Votre envoi a été retenu",
  titleUnchecked: "Votre envoi n’a pas pu être vérifié",
  titlePassed: "Non vérifié",
  seconds: "Dans la vidéo : {ranges}.",
  possible: "« {file} » correspond peut-être à une image de la liste « {list} » ({category}).",
  confirmed:
    "« {file} » correspond à une image de la liste « {list} » ({category}). Le service que ce site interroge l’a confirmé.",
  doubt: "C’est une correspondance possible. Il peut s’agir d’une erreur, et elle ne dit rien sur vous.",
  onDevice: "La vérification a été faite sur cet appareil. Rien de ce fichier n’a été envoyé.",
  asked:
    "La vérification a été faite sur cet appareil. Des empreintes du fichier, mais pas le fichier, ont été envoyées au service que ce site interroge.",
  unchecked: {
    unreadable: "« {file} » n’a pas pu être lu. Le fichier est peut-être endommagé.",
    "not-a-picture": "« {file} » n’est pas une image.",
    "unsupported-picture": "« {file} » est une image dans un format qui ne peut pas être vérifié ici.",
    "unsupported-film": "« {file} » est une vidéo qui ne peut pas être vérifiée ici.",
    "invalid-input": "« {file} » n’a pas pu être lu comme un fichier.",
    "too-many-candidates": "« {file} » n’a pas pu être vérifié entièrement.",
    "too-large": "« {file} » est trop volumineux pour être vérifié.",
    incomplete: "« {file} » n’a pas pu être vérifié entièrement.",
    "canvas-noise": "Les réglages de confidentialité de votre navigateur empêchent de vérifier « {file} ».",
    "engine-failed": "La vérification de « {file} » a échoué.",
    unavailable: "« {file} » n’a pas pu être vérifié, car la vérification n’est pas disponible en ce moment.",
  },
  uncheckedHeld: "Il n’a pas été envoyé. Vous pouvez réessayer ou choisir un autre fichier.",
  uncheckedPassed: "Ce site laisse tout de même passer ces fichiers.",
  options: "Ce que vous pouvez faire",
  chooseAnother: "Choisir un autre fichier",
  review: "Demander un réexamen",
  learnMore: "En savoir plus",
  explanation:
    "Ce site compare les images à des listes d’images nuisibles connues avant leur envoi. Votre navigateur calcule une empreinte de l’image et la compare sur votre appareil. Des images qui se ressemblent peuvent correspondre par hasard : une correspondance est donc une question, pas une accusation.",
  noReview: "Ce site n’a pas prévu de réexamen ici. Veuillez le contacter directement.",
  support: "Aide et soutien",
  decides: "Qui décide, et comment s’y opposer",
  decidedBy: "La liste « {list} » est tenue par : {curators}.",
  jurisdiction: "Ils déclarent relever du droit suivant : {jurisdiction}.",
  policy: "Ce qu’ils inscrivent, et pourquoi",
  appeals: "Contester une entrée de la liste",
  close: "Fermer",
  checking: "Vérification sur cet appareil",
};

/** A file that was held, or that passed unchecked. */
export interface NoticeEntry {
  file: { name?: string };
  verdict: Verdict;
  /** "upload" if the file passed although it could not be checked. Default "hold". */
  decision?: Decision;
}

/** Returns the strings for a language tag, and the language of these strings. */
export function stringsFor(tag: string | undefined): { strings: NoticeStrings; language: string } {
  const french = tag?.toLowerCase().split("-")[0] === "fr";
  return french ? { strings: FRENCH, language: "fr" } : { strings: ENGLISH, language: "en" };
}

export function titleOf({ verdict, decision }: NoticeEntry, strings: NoticeStrings): string {
  if (decision === "upload") return strings.titlePassed;
  const isMatch = verdict.outcome === "possible-match" || verdict.outcome === "match";
  return isMatch ? strings.titleHeld : strings.titleUnchecked;
}

/** Returns what happened to a file, as a list of sentences. */
export function sentencesOf({ file, verdict, decision }: NoticeEntry, strings: NoticeStrings): string[] {
  const name = file.name || "?";
  if (verdict.outcome === "unchecked") {
    const became = decision === "upload" ? strings.uncheckedPassed : strings.uncheckedHeld;
    return [filled(strings.unchecked[verdict.reason] ?? strings.unchecked.incomplete, { file: name }), became];
  }
  if (verdict.outcome === "clear") {
    // The file is clear but held for a caveat, so the notice says that it could not be checked completely.
    return decision === "upload" ? [] : [filled(strings.unchecked.incomplete, { file: name }), strings.uncheckedHeld];
  }
  const lists = new Map(verdict.matches.map((match) => [JSON.stringify([match.list, match.category]), match]));
  const isMatch = verdict.outcome === "match";
  const asked = isMatch || verdict.confirmation !== undefined;
  const sentence = isMatch ? strings.confirmed : strings.possible;
  return [
    ...[...lists.values()].flatMap(({ list, category, ranges }) => [
      filled(sentence, { file: name, list, category }),
      ...(ranges ? [filled(strings.seconds, { ranges: ranges.slice(0, MOST_RANGES).map(rangeOf).join(", ") })] : []),
    ]),
    ...(isMatch ? [] : [strings.doubt]),
    asked ? strings.asked : strings.onDevice,
  ];
}

/** Largest number of a film's ranges that the notice names. */
const MOST_RANGES = 5;

/** Returns a range of seconds as people write it: 1:05–1:20. */
function rangeOf([from, to]: readonly [number, number]): string {
  const time = (seconds: number) => {
    const whole = Math.floor(Math.max(0, seconds));
    const [minutes, rest] = [Math.floor(whole / 60), String(whole % 60).padStart(2, "0")];
    const hours = Math.floor(minutes / 60);
    return hours > 0 ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
  };
  return time(from) === time(to) ? time(from) : `${time(from)}–${time(to)}`;
}

/** Returns who decides what is on the lists that matched. Each list occurs once. */
export function aboutOf(entries: readonly NoticeEntry[]): ListAbout[] {
  const about = entries
    .filter(({ verdict }) => verdict.outcome === "possible-match" || verdict.outcome === "match")
    .flatMap(({ verdict }) => verdict.list?.about ?? []);
  return [...new Map(about.map((one) => [one.list, one])).values()];
}

export function filled(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
