import type { MailText } from "./texts";

/** The MJML of a recipe's message: greeting, text, block or button, and who sends it. */
export function mailSource({ heading, paragraphs, button }: MailText, greeting: string, block: string | null): string {
  const text = (content: string, more = "") =>
    `        <mj-text font-size="16px" line-height="24px" color="#24302b"${more}>${content}</mj-text>`;
  const lines = [
    `        <mj-text font-size="24px" line-height="32px" font-weight="700" color="#24302b">${heading}</mj-text>`,
    ...[greeting, ...paragraphs].map((paragraph) => text(paragraph)),
    ...(block === null ? [] : [text(`{% render "${block}" %}`)]),
    ...(button === undefined
      ? []
      : [
          `        <mj-button href="{{ shop.url }}" background-color="#1f6f54" border-radius="6px" font-size="16px">${button}</mj-button>`,
        ]),
    text('{% render "footer" %}'),
  ];
  return `<mjml>
  <mj-head>
    <mj-attributes><mj-all font-family="Helvetica, Arial, sans-serif" /></mj-attributes>
  </mj-head>
  <mj-body background-color="#f3f5f4">
    <mj-section background-color="#ffffff" padding="24px">
      <mj-column>
${lines.join("\n")}
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
`;
}
