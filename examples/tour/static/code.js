// Colours the C++ listings: keywords, types, strings and comments.

const kToken =
  /(?<comment>\/\/.*)|(?<string>"[^"\n]*")|(?<pre>#include\s+<[^>]+>)|(?<co>\bco_(?:await|return|yield)\b)|(?<keyword>\b(?:using|namespace|return|for|while|if|else|try|catch|int|char|void|auto|bool|const|double|long|struct|class|public|private|explicit|override|static|final|true|false|nullptr)\b)|(?<type>\b(?:Task|TaskGroup|Page|vector|string|Application|Response|EventStream|Query|JsonBody|Form|Rules|RequestHandler|WebSocketHandler|SimNetwork|SimHost)\b)/g;

export function colourListings() {
  for (const code of document.querySelectorAll("code.cpp")) {
    const source = code.textContent;
    const parts = [];
    let from = 0;
    for (const match of source.matchAll(kToken)) {
      const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
      const span = document.createElement("span");
      span.className = `code-${kind}`;
      span.textContent = match[0];
      parts.push(source.slice(from, match.index), span);
      from = match.index + match[0].length;
    }
    code.replaceChildren(...parts, source.slice(from));
  }
}
