// The panel as a Zoho CRM widget: it reads the account that the page shows, with the rights of who looks at it, and calls
// nothing but the CRM. It holds no secret and decides nothing: an entity id that a page made up shows what that user may see.
"use strict";

(() => {
  const WORDS = {
    en: { title: "Credit standing", wait: "…", failed: "The record could not be read. Ask your CRM admin for the zixin fields." },
    zh: { title: "客户资信", wait: "…", failed: "无法读取记录，请联系 CRM 管理员检查 zixin 字段的权限。" },
  };
  const words = ZIXIN.language === "zh-CN" ? WORDS.zh : WORDS.en;

  function say(text) {
    document.getElementById("panel").textContent = text;
  }

  async function show(told) {
    // A related list gives one id, a button a list of them.
    const id = Array.isArray(told.EntityId) ? told.EntityId[0] : told.EntityId;
    say(words.wait);
    try {
      const answer = await ZOHO.CRM.API.getRecord({ Entity: told.Entity, RecordID: id });
      const record = answer && answer.data && answer.data[0];
      if (!record) return say(words.failed);
      zixin.render(document.getElementById("panel"), record, ZIXIN);
    } catch (error) {
      say(words.failed);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.documentElement.lang = ZIXIN.language;
    document.querySelector(".zx-title").textContent = words.title;
    ZOHO.embeddedApp.on("PageLoad", show);
    ZOHO.embeddedApp.init();
  });
})();
