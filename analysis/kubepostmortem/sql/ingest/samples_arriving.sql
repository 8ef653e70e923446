-- Series and samples of the file that is being read.
create or replace temp table arriving_series (
    series bigint, metric varchar, labels struct(key varchar, value varchar)[]);
create or replace temp table arriving_samples (series bigint, sampled_at timestamp, value double);
