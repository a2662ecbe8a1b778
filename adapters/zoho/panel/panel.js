// The rating panel of an account page: built from the fields that zixin wrote back and from nothing else.
// render(element, record, options): record is the account as the CRM shows it; options are language, currency, flags
// (code → [English, Chinese]) and names (zixin's field → the CRM's).
"use strict";

const zixin = (() => {
  const WORDS = {
    en: { limit: "Limit", left: "room left", overdue: "overdue since", flags: "Warnings", why: "Why", of: "as of",
          none: "not rated", hold: { none: "deliver", warn: "deliver, and mind", approve: "ask for approval", block: "do not deliver" } },
    zh: { limit: "信用额度", left: "可用", overdue: "最早逾期", flags: "预警", why: "理由", of: "截至",
          none: "未评级", hold: { none: "可发货", warn: "可发货，注意", approve: "须审批", block: "停止发货" } },
  };
  const COLOURS = { AAA: "#1a7f37", AA: "#1a7f37", A: "#1a7f37", BBB: "#9a6700", BB: "#9a6700", B: "#bc4c00",
                    CCC: "#bc4c00", CC: "#cf222e", C: "#cf222e", D: "#cf222e" };

  function node(tag, text, attributes) {
    const made = document.createElement(tag);
    if (text !== undefined && text !== null) made.textContent = text;
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    return made;
  }

  // 37,060.62 EUR. Amounts come as JSON numbers or as decimal text; places are those of the currency.
  function amount(value, options) {
    if (value === null || value === undefined || value === "") return "–";
    const [whole, rest] = (typeof value === "number" ? value.toFixed(options.places) : String(value)).split(".");
    return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (rest ? "." + rest : "") + " " + options.currency;
  }

  function render(element, record, options) {
    const zh = options.language === "zh-CN", words = zh ? WORDS.zh : WORDS.en;
    const of = (name) => record[options.names[name]];
    const rating = of("rating"), hold = of("hold") || "none";
    const head = node("div", null, { class: "zx-head" });
    head.append(node("span", rating || "NR", { class: "zx-badge", style: "background:" + (COLOURS[rating] || "#57606a") }));
    const side = node("div");
    side.append(node("strong", rating ? words.hold[hold] : words.none, { class: "zx-hold", "data-hold": hold }));
    side.append(node("div", `${of("score") ?? "–"} · ${words.of} ${of("rated_on") || "–"}`, { class: "zx-soft", id: "zx-score" }));
    head.append(side);

    const limit = Number(of("limit")), left = Number(of("available"));
    const box = node("div", null, { class: "zx-limit" });
    const has = of("limit") !== null && of("limit") !== undefined && of("limit") !== "";
    const used = has && limit > 0 ? Math.min(100, Math.max(0, 100 * (1 - left / limit))) : has ? 100 : 0;
    box.append(node("div", `${words.limit} ${amount(of("limit"), options)}`));
    const bar = node("div", null, { class: "zx-bar", role: "img", "aria-label": `${words.left} ${amount(of("available"), options)}` });
    bar.append(node("i", null, { style: `width:${used.toFixed(1)}%`, class: used >= 100 ? "zx-full" : "" }));
    box.append(bar, node("div", `${words.left} ${amount(of("available"), options)}`, { id: "zx-left" }));

    const parts = [head, box];
    if (of("overdue_since")) parts.push(node("div", `${words.overdue} ${of("overdue_since")}`, { class: "zx-late" }));
    const flags = Array.isArray(of("flags")) ? of("flags") : of("flags") ? String(of("flags")).split(";") : [];
    if (flags.length) {
      const list = node("ul", null, { class: "zx-flags", "aria-label": words.flags });
      for (const code of flags) list.append(node("li", (options.flags[code] || [code, code])[zh ? 1 : 0], { "data-code": code }));
      parts.push(list);
    }
    const reasons = String(of("reasons") || "").split("\n").filter(Boolean).slice(0, 3);
    if (reasons.length) {
      const list = node("ol", null, { class: "zx-why", "aria-label": words.why });
      for (const line of reasons) list.append(node("li", line));
      parts.push(list);
    }
    element.replaceChildren(...parts);
  }
  return { render, amount };
})();
