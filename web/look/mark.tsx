/** The mark: a grain of wheat cut by a horizontal line, the threshold. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d="M6.63 9.80A14.90 14.90 0 0 1 17.17 1.39 14.90 14.90 0 0 1 18.61 9.80ZM17.37 14.20A14.90 14.90 0 0 1 6.83 22.61 14.90 14.90 0 0 1 5.39 14.20ZM1 11.2h22v1.6H1Z" />
    </svg>
  );
}
