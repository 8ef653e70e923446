-- Whether a feature gate is on: as the flag says, else by the default of the release.
create or replace macro feature_gate(feature_gates, gate, by_default) as
coalesce(
    try_cast(regexp_extract(feature_gates, '(?:^|,)\s*' || gate || '\s*=\s*(\w+)', 1) as boolean),
    by_default);
comment on macro feature_gate is 'True where the flag --feature-gates turns a gate on; where it does not name the gate, the default given.';
