/* axe, which measures each kind of text once. By far the most of its time goes into contrast, and nearly every text of a
page stands as one did before, on this page or another one: in the same colour, size and weight, in the same boxes, over and
under the same ones. Only what axe measured and found good is remembered. Without axe in the page the answer is null. */
async ([rules, known]) => {
    if (!window.axe) return null;
    const good = new Set(known);
    const boxes = new Map();
    const keys = new WeakMap();

    function boxOf(element) {
        let box = boxes.get(element);
        if (!box) {
            const style = getComputedStyle(element);
            const { left, top, right, bottom } = element.getBoundingClientRect();
            const looks = [
                style.backgroundColor, style.backgroundImage, style.opacity, style.mixBlendMode, style.filter, style.textShadow,
                style.position, style.zIndex, style.display, style.float, style.visibility,
            ].join(" ");
            box = { left, top, right, bottom, looks, style };
            boxes.set(element, box);
        }
        return box;
    }

    function paints(element) {
        if (!element.checkVisibility()) return false;
        const { backgroundColor, backgroundImage } = getComputedStyle(element);
        return backgroundColor !== "rgba(0, 0, 0, 0)" || backgroundImage !== "none"
            || element.matches("img, svg, canvas, video, iframe, object, embed");
    }

    let painted;
    function keyOf(element) {
        painted ??= [...document.querySelectorAll("*")].filter(paints);
        const box = boxOf(element);
        const { color, fontSize, fontWeight, webkitTextStroke } = box.style;
        const parts = [color, fontSize, fontWeight, webkitTextStroke];
        const around = new Set();
        for (let one = element; one; one = one.parentElement) {
            const { left, top, right, bottom, looks } = boxOf(one);
            around.add(one);
            parts.push(looks, left <= box.left && top <= box.top && right >= box.right && bottom >= box.bottom);
        }
        for (const one of painted) {
            if (around.has(one)) continue;
            const { left, top, right, bottom, looks } = boxOf(one);
            if (left < box.right && right > box.left && top < box.bottom && bottom > box.top)
                parts.push("beside", one.compareDocumentPosition(element), looks);
        }
        return hash(parts.join("|"));
    }

    function hash(text) {
        let [one, other] = [0xdeadbeef, 0x41c6ce57];
        for (let at = 0; at < text.length; at++) {
            one = Math.imul(one ^ text.charCodeAt(at), 2654435761);
            other = Math.imul(other ^ text.charCodeAt(at), 1597334677);
        }
        return (one >>> 0).toString(36) + "-" + (other >>> 0).toString(36);
    }

    /* Elsewhere nothing is remembered: what is inside a shadow does not know here what is around it. */
    const holdsText = (node) => node.getRootNode() === document && (node.matches("input, select, textarea")
        || [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim()));

    /* What a rule finds weighs as the rule does, and what these find is told nobody: a third of the work is theirs. */
    const light = axe._audit.rules.filter(({ impact }) => impact === "minor" || impact === "moderate");
    const asked = rules.length
        ? { runOnly: { type: "rule", values: rules } }
        : { rules: Object.fromEntries(light.map(({ id }) => [id, { enabled: false }])) };

    const rule = axe._audit.rules.find(({ id }) => id === "color-contrast");
    const check = axe._audit.checks["color-contrast"];
    const { matches } = rule;
    const { evaluate } = check;
    rule.matches = function (node, ...rest) {
        if (holdsText(node)) {
            keys.set(node, keyOf(node));
            if (good.has(keys.get(node))) return false;
        }
        return matches.call(this, node, ...rest);
    };
    check.evaluate = function (node, ...rest) {
        const key = keys.get(node);
        if (good.has(key)) return true;
        let measured;
        const listening = Object.create(this, { data: { value: (data) => { measured = data; this.data(data); } } });
        const found = evaluate.call(listening, node, ...rest);
        if (key && found === true && Number.isFinite(measured?.contrastRatio)) good.add(key);
        return found;
    };
    try {
        const { violations } = await axe.run(document, { resultTypes: ["violations"], ...asked });
        return { violations, good: [...good].slice(known.length) };
    } finally {
        rule.matches = matches;
        check.evaluate = evaluate;
    }
}
