// The explore page: chooses among the published rows of EXPLORE (explore-data.js) and shows them. No network, no storage;
// the choice stands in the address after #, as LANGUAGE/TOPIC/COUNTRY/ITEM, so that it can be linked to.
"use strict";
(() => {
  const COUNTRY = 0, WHO = 1, TERM = 2, LEVEL = 3, STATISTIC = 4, FORM = 5, ESTIMATE = 6, LOWER = 7, UPPER = 8, N = 9,
    MARK = 10, NOTE = 11, MOST = 300;
  const byId = (id) => document.getElementById(id);
  const state = {lang: EXPLORE.languages[0], topic: "", country: "", item: ""};
  let words;

  const say = (key) => words.words[key];
  const label = (place) => words.labels[place];
  const topicOf = (id) => EXPLORE.topics.find((t) => t.id === id);

  function element(tag, text, attributes) {
    const e = document.createElement(tag);
    if (text) e.textContent = text;
    for (const [name, value] of Object.entries(attributes || {})) e.setAttribute(name, value);
    return e;
  }

  // Forms of numbers: text, share, count, number, ratio, p (as in the workbooks).
  function format(x, form) {
    if (x === null) return "";
    const size = Math.abs(x);
    let digits = form === 1 ? 1 : form === 2 ? 0 : form >= 4 ? 3 : size >= 1000 ? 0 : size >= 100 ? 1 : 2;
    const options = {minimumFractionDigits: digits, maximumFractionDigits: digits};
    if (form === 1) options.style = "percent";
    return new Intl.NumberFormat(words.locale, options).format(x).replace("-", "\u2212");
  }

  const estimate = (row) => row[ESTIMATE] === null || row[MARK] === "[c]" ? row[MARK]
    : format(row[ESTIMATE], row[FORM]) + (row[MARK] ? "\u00a0" + row[MARK] : "");

  const interval = (row) => row[LOWER] === null || row[UPPER] === null ? "\u2013"
    : format(row[LOWER], row[FORM]) + " \u2013 " + format(row[UPPER], row[FORM]);

  // ---- the address

  // A reader who has chosen nothing sees a chart.
  const firstTopic = () =>
    (EXPLORE.topics.find((t) => EXPLORE.pictures.some((p) => p.id === t.id && !p.country)) || EXPLORE.topics[0] || {id: ""}).id;

  function readAddress() {
    const parts = decodeURIComponent(location.hash.slice(1)).split("/");
    state.lang = EXPLORE.languages.includes(parts[0]) ? parts[0] : EXPLORE.languages[0];
    state.topic = topicOf(parts[1]) ? parts[1] : firstTopic();
    state.country = EXPLORE.countries.includes(parts[2]) ? parts[2] : "";
    state.item = parts[3] || "";
  }

  const address = (change) => {
    const s = Object.assign({}, state, change);
    return "#" + [s.lang, s.topic, s.country, s.item].map(encodeURIComponent).join("/");
  };

  // ---- what is chosen

  function fill(select, options, chosen) {
    select.replaceChildren(...options.map(([value, text]) => {
      const o = element("option", text);
      o.value = value;
      o.selected = value === chosen;
      return o;
    }));
  }

  const rowsOfCountry = (topic) => topic.rows.filter((r) => r[COUNTRY] === state.country);

  // An item is known by its words in the first language of the publication.
  const itemKey = (row) => EXPLORE.words[EXPLORE.languages[0]].labels[row[TERM]];

  function itemsOf(rows) {
    const items = new Map();
    for (const r of rows) if (label(r[TERM]) && !items.has(itemKey(r))) items.set(itemKey(r), label(r[TERM]));
    return [...items];
  }

  function showChoices(rows) {
    const items = itemsOf(rows);
    if (!items.some(([key]) => key === state.item)) state.item = "";
    fill(byId("topic"), EXPLORE.topics.map((t) => [t.id, words.titles[t.id]]), state.topic);
    fill(byId("country"), [["", say("site_everybody")], ...EXPLORE.countries.map((c) => [c, words.countries[c]])],
      state.country);
    fill(byId("item"), [["", say("explore_all_items")], ...items], state.item);
    byId("item").disabled = items.length < 2;
    byId("country").disabled = !EXPLORE.countries.length;
  }

  // ---- pictures and tables

  // The picture in the reader's language, or in one that it is published in.
  function pictures() {
    const all = EXPLORE.pictures.filter((p) => p.id === state.topic && p.country === state.country);
    const own = all.filter((p) => p.lang === state.lang);
    return own.length ? own : all.filter((p) => p.lang === (all[0] || {}).lang);
  }

  function figure(p) {
    const f = element("figure", "", {lang: p.lang}), stem = "charts/" + encodeURIComponent(p.file.slice(0, -4));
    const alt = p.title + (p.alt ? (/[.!?…]$/.test(p.title) ? " " : ". ") + p.alt : "");
    f.append(element("img", "", {src: stem + ".svg", alt, width: p.w, height: p.h}));
    const caption = element("figcaption", say("site_download") + ": ", {lang: state.lang});
    ["svg", "png", "pdf"].forEach((type, k) => {
      if (k) caption.append(" \u00b7 ");
      caption.append(element("a", type.toUpperCase(), {href: stem + "." + type}));
    });
    f.append(caption);
    return f;
  }

  // Columns that say the same in every row are left out, but for the numbers.
  function columnsFor(rows, found) {
    const differ = (k) => rows.some((r) => label(r[k]) !== label(rows[0][k]));
    const columns = [];
    if (found) columns.push([say("explore_topic"), (r) => words.titles[r.topic]]);
    if (found || differ(WHO)) columns.push([say("column_group"), (r) => label(r[WHO])]);
    if (found || differ(TERM)) columns.push([say("column_item"), (r) => label(r[TERM])]);
    if (rows.some((r) => label(r[LEVEL]))) columns.push([say("column_level"), (r) => label(r[LEVEL])]);
    if (differ(STATISTIC) || columns.length === 0) columns.push([say("column_statistic"), (r) => label(r[STATISTIC])]);
    columns.push([say("estimate_heading"), estimate, true], [say("interval_heading"), interval, true],
      [say("column_n"), (r) => format(r[N], 2) || "\u2013", true]);
    if (rows.some((r) => label(r[NOTE]))) columns.push([say("column_note"), (r) => label(r[NOTE]) || "\u2013"]);
    return columns;
  }

  function table(rows, caption, found) {
    const region = element("div", "", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption});
    const t = element("table"), head = element("thead"), body = element("tbody"), line = element("tr");
    const columns = columnsFor(rows, found);
    t.append(element("caption", caption), head, body);
    for (const [title, , number] of columns) {
      const cell = element("th", title, {scope: "col"});
      if (number) cell.className = "number";
      line.append(cell);
    }
    head.append(line);
    for (const row of rows.slice(0, MOST)) {
      const tr = element("tr");
      columns.forEach(([, text, number], k) => {
        const cell = element(k ? "td" : "th", text(row), k ? {} : {scope: "row"});
        if (number) cell.className = "number";
        tr.append(cell);
      });
      body.append(tr);
    }
    region.append(t);
    return region;
  }

  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();

  // Rows of all topics whose words hold every word that was typed.
  function search(text) {
    const wanted = fold(text).split(/\s+/).filter(Boolean), found = [];
    for (const topic of EXPLORE.topics) {
      const title = words.titles[topic.id];
      for (const row of topic.rows) {
        const all = fold([title, label(row[WHO]), label(row[TERM]), label(row[LEVEL]), label(row[STATISTIC])].join(" "));
        if (wanted.every((w) => all.includes(w))) found.push(Object.assign([...row], {topic: topic.id}));
      }
    }
    return found;
  }

  function show(rows, caption, found) {
    const more = rows.length > MOST ? " " + say("explore_more") : "";
    byId("status").textContent = rows.length ? say("explore_rows") + " " + format(rows.length, 2) + "." + more
      : say("explore_nothing");
    byId("numbers").replaceChildren(...(rows.length ? [element("h2", caption), table(rows, caption, found)] : []));
  }

  // ---- the page

  function showWords() {
    document.documentElement.lang = state.lang;
    document.title = say("explore_title") + " \u2013 " + words.study;
    for (const e of document.querySelectorAll("[data-word]")) e.textContent = say(e.dataset.word);
    for (const nav of document.querySelectorAll("nav.pages")) {
      nav.setAttribute("aria-label", say("site_pages"));
      for (const a of nav.querySelectorAll("a")) a.href = a.getAttribute("href").replace(/#.*/, "#" + state.lang);
    }
    byId("notes").replaceChildren(...words.notes.map((n) => element("li", n)));
    const list = element("ul");
    for (const lang of EXPLORE.languages) {
      const a = element("a", EXPLORE.words[lang].name, {href: address({lang}), lang, hreflang: lang});
      if (lang === state.lang) a.setAttribute("aria-current", "true");
      const li = element("li");
      li.append(a);
      list.append(li);
    }
    byId("languages").setAttribute("aria-label", say("site_languages"));
    byId("languages").replaceChildren(list);
    byId("languages").hidden = EXPLORE.languages.length < 2;
  }

  function render() {
    words = EXPLORE.words[state.lang];
    const text = byId("search").value.trim(), topic = topicOf(state.topic), rows = topic ? rowsOfCountry(topic) : [];
    showChoices(rows);
    showWords();
    if (text) {
      byId("charts").replaceChildren();
      show(search(text), say("explore_numbers"), true);
      return;
    }
    const shown = pictures();
    byId("charts").replaceChildren(...shown.map(figure));
    if (!shown.length) byId("charts").replaceChildren(element("p", say("explore_no_chart")));
    show(rows.filter((r) => !state.item || itemKey(r) === state.item), topic ? words.titles[topic.id] : "", false);
  }

  for (const id of ["topic", "country", "item"])
    byId(id).addEventListener("change", (e) => {
      byId("search").value = "";
      location.hash = address(id === "topic" ? {topic: e.target.value, item: ""} : {[id]: e.target.value});
    });
  byId("search").addEventListener("input", render);
  byId("choice").addEventListener("submit", (e) => e.preventDefault());
  addEventListener("hashchange", () => {
    readAddress();
    render();
  });
  readAddress();
  render();
})();
