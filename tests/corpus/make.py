"""Writes the files of this folder that other libraries make: `same_*` hold one small history, `bad_*` none.

    pip install pandas pyarrow
    python tests/corpus/make.py

The history: three assets, twelve business days over the end of winter time in Europe (a day counted in the wrong zone
shows), in multiples of 1/64 (exact in single precision and in six decimals).
"""

import datetime
import decimal
import io
import pathlib
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent
DAYS = pd.bdate_range("2019-03-25", periods=12, name="date").as_unit("ns")
NAMES = ["A", "B", "C"]
STEPS = np.array([[3, -2, 5], [-4, 1, 2], [2, 6, -7], [5, -3, 1], [-1, 4, -2], [-6, 2, 3], [4, -5, 6], [1, 3, -4],
                  [-2, -1, 5], [7, 2, -3], [-3, 5, 2]])
VALUES = np.array([1600.5, 987.25, 1210.0]) + np.vstack([np.zeros(3), STEPS.cumsum(axis=0)]) * 1.015625
PRICES = pd.DataFrame(VALUES, index=DAYS, columns=NAMES)
LONG = PRICES.rename_axis(columns="ticker").stack().rename("close").reset_index()


def put(folder, name, data):
    path = HERE / folder
    path.mkdir(exist_ok=True)
    (path / name).write_bytes(data.encode() if isinstance(data, str) else data)


def text(day=lambda d: d.strftime("%Y-%m-%d"), number=lambda x: f"{x:.6f}", cell=",", end="\n", head="date"):
    lines = [cell.join([head, *NAMES])] if head is not None else []
    lines += [cell.join([day(d), *map(number, row)]) for d, row in zip(DAYS, VALUES)]
    return end.join(lines) + end


def grouped(group, mark):
    return lambda x: f"{x:,.6f}".replace(",", "\0").replace(".", mark).replace("\0", group)


def csv():
    plain = text()
    lines = plain.splitlines()
    same = {
        "plain": plain,
        "space": text(cell=" "),
        "utf16": plain.encode("utf-16"),
        "latin1": text(head="d\u00e9").encode("latin-1"),
        "thousands_quoted": text(number=lambda x: f'"{x:,.6f}"'),
        "thousands_point": text(number=grouped(".", ","), cell=";"),
        "thousands_space": text(number=grouped("\u00a0", ","), cell=";"),
        "thousands_apostrophe": text(number=grouped("'", ".")),
        "decimal_comma_quoted": text(number=lambda x: f'"{x:.6f}"'.replace(".", ",")),
        "dollars": text(number=lambda x: f"${x:.6f}"),
        "euros": text(number=lambda x: f"{x:.6f} \u20ac".replace(".", ","), cell=";"),
        "scientific": text(number=lambda x: f"{x:.9e}"),
        "month_names": text(day=lambda d: d.strftime("%d-%b-%Y")),
        "month_words": text(day=lambda d: d.strftime('"%B %d, %Y"')),
        "two_digit_years": text(day=lambda d: d.strftime("%m/%d/%y")),
        "points": text(day=lambda d: d.strftime("%d.%m.%Y")),
        "zone": text(day=lambda d: d.strftime("%Y-%m-%d 00:00:00+00:00")),
        "serial_days": text(day=lambda d: str((d - pd.Timestamp("1899-12-30")).days)),
        "seconds": text(day=lambda d: str(int(d.timestamp()))),
        "milliseconds": text(day=lambda d: str(int(d.timestamp()) * 1000)),
        "comments": "# made by hand, twice\n" + "\n".join(lines[:5] + ["# half way"] + lines[5:]) + "\n",
        "comment_as_header": "# " + plain,
        "prose": "Prices of three shares\nSource,somewhere\n\n" + plain,
        "excel_separator": "sep=;\n" + text(cell=";"),
        "units": "\n".join([lines[0], "unit,USD,EUR,USD", *lines[1:]]) + "\n",
        "row_numbers": PRICES.reset_index().to_csv(),
        "dates_last": PRICES.reset_index()[[*NAMES, "date"]].to_csv(index=False),
        "newest_first": PRICES[::-1].to_csv(),
        "row_twice": "\n".join(lines[:6] + [lines[5]] + lines[6:]) + "\n",
        "empty_column": "\n".join(line.replace(",", ",,", 1) for line in lines) + "\n",
        "r_table": " ".join(NAMES) + "\n" + text(cell=" ", head=None),
        "long": LONG.to_csv(index=False),
        "long_numbered": LONG.to_csv(),
        "long_other_order": LONG[["close", "ticker", "date"]].to_csv(index=False),
        "long_semicolon": LONG.to_csv(index=False, sep=";", decimal=",", date_format="%d.%m.%Y"),
        "long_fields": LONG.assign(open=1.0, volume=7, currency="USD").to_csv(index=False),
    }
    fields = pd.concat({"Adj Close": PRICES, "Close": 2 * PRICES, "Volume": 3 * PRICES}, axis=1)
    fields.columns.names = ["Price", "Ticker"]
    same["fields"] = fields.to_csv()
    same["fields_by_ticker"] = fields.swaplevel(axis=1).sort_index(axis=1).to_csv()
    for name, data in same.items():
        put("csv", f"same_{name}.csv", data)


def parquet():
    def write(name, table, **options):
        table = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table)
        sink = io.BytesIO()
        pyarrow.parquet.write_table(table, sink, **options)
        put("parquet", f"{name}.parquet", sink.getvalue())
        return sink.getvalue()

    for codec in ["snappy", "gzip", "brotli", "lz4", "zstd", "none"]:
        whole = write(f"same_{codec}", PRICES, compression=codec)
    write("same_pages_2", PRICES, data_page_version="2.0", compression="gzip")
    write("same_groups", PRICES, row_group_size=5)
    write("same_unnamed_index", PRICES.rename_axis(None))
    write("same_range_index", PRICES.reset_index())
    for unit in ["s", "ms", "us"]:
        write(f"same_{unit}", PRICES.set_axis(DAYS.as_unit(unit)))
    for zone in ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Auckland", "+05:30"]:
        name = zone.replace("/", "_").replace(":", "").lower()
        write(f"same_zone_{name}", PRICES.set_axis(DAYS.tz_localize(zone)))
    flat = PRICES.reset_index()
    write("same_date32", flat.assign(date=flat.date.dt.date))
    write("same_text_dates", flat.assign(date=flat.date.astype(str)))
    write("same_number_dates", flat.assign(date=flat.date.dt.strftime("%Y%m%d").astype(int)))
    write("same_f32", PRICES.astype("float32"))
    cents = {name: pa.array([decimal.Decimal(f"{x:.6f}") for x in PRICES[name]], pa.decimal128(18, 6)) for name in NAMES}
    write("same_decimal", pa.table({"date": DAYS.values, **cents}))
    write("same_long", LONG)
    write("same_long_category", LONG.assign(ticker=LONG.ticker.astype("category")))
    write("same_long_index", LONG.set_index(["ticker", "date"]))
    levels = PRICES.copy()
    levels.columns = pd.MultiIndex.from_product([["Close"], NAMES])
    write("same_levels", levels)
    write("same_text_column", PRICES.assign(note="x"))
    write("bad_no_rows", PRICES.iloc[:0])
    write("bad_list", pa.table({"date": DAYS.values, "A": VALUES[:, 0], "l": [[1]] * 12}))
    put("parquet", "bad_cut.parquet", whole[:-300])
    put("parquet", "bad_magic.parquet", b"PAR1")
    # A page that says it unpacks to little, and unpacks to 64 MiB: the size in its header, and gzip's own, are forged.
    bomb = pa.table({"date": DAYS[:1].values.repeat(1 << 20), "A": np.zeros(1 << 20)})
    sink = io.BytesIO()
    pyarrow.parquet.write_table(bomb, sink, compression="gzip", use_dictionary=False, data_page_size=1 << 30,
                                write_statistics=False, row_group_size=1 << 21, store_schema=False)
    bytes_ = bytearray(sink.getvalue())
    size = bytes_.index(bytes([0x15, 0x00, 0x15])) + 3
    bytes_[size] = 0x80 | 2 if bytes_[size] & 0x80 else 2
    put("parquet", "bad_page_bomb.parquet", bytes(bytes_))


def arrow():
    flat = PRICES.reset_index()
    for codec in ["uncompressed", "lz4", "zstd"]:
        sink = io.BytesIO()
        pyarrow.feather.write_feather(flat, sink, compression=codec, chunksize=5)
        put("arrow", f"same_{codec}.feather", sink.getvalue())

    def write(name, table, new=pa.ipc.new_stream, **options):
        sink = io.BytesIO()
        with new(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
            writer.write_table(table, max_chunksize=7)
        put("arrow", name, sink.getvalue())
        return sink.getvalue()

    table = pa.Table.from_pandas(PRICES)
    whole = write("same_stream.arrows", table)
    write("same_file.arrow", table, new=pa.ipc.new_file)
    packed = write("same_packed.arrows", table, compression="zstd")
    tokyo = pa.array(DAYS.tz_localize("Asia/Tokyo"))
    write("same_zone.arrows", table.set_column(3, "date", tokyo))
    words = pa.array(DAYS.strftime("%Y-%m-%d").tolist())
    for name, kind in [("view", pa.string_view()), ("large", pa.large_string())]:
        write(f"same_{name}.arrows", table.set_column(3, "date", words.cast(kind)))
    write("same_long.arrows", pa.Table.from_pandas(LONG.assign(ticker=LONG.ticker.astype("category"))))
    put("arrow", "bad_cut.arrows", whole[:-400])
    put("arrow", "bad_version_1.feather", b"FEA1" + bytes(32) + b"FEA1")
    put("arrow", "bad_no_rows.arrows", whole[: whole.index(b"\xff\xff\xff\xff", 8)])
    # The first compressed buffer says it unpacks to 2^40 bytes.
    frame = packed.index(bytes([0x28, 0xB5, 0x2F, 0xFD]))
    put("arrow", "bad_bomb.arrows", packed[: frame - 8] + (1 << 40).to_bytes(8, "little") + packed[frame:])


def npy():
    def write(name, array):
        sink = io.BytesIO()
        np.save(sink, array)
        put("npy", f"{name}.npy", sink.getvalue())

    write("same_f64", VALUES)
    write("same_f32", VALUES.astype("<f4"))
    write("same_big_endian", VALUES.astype(">f8"))
    write("same_big_endian_f32", VALUES.astype(">f4"))
    write("same_fortran", np.asfortranarray(VALUES))
    write("ok_integers", (VALUES * 64).astype("<i8"))
    write("ok_unsigned", (VALUES * 64).astype(">u4"))
    write("ok_one", VALUES[:, 0])
    write("bad_three_dimensions", VALUES.reshape(2, 6, 3))
    write("bad_objects", VALUES.astype(object))
    write("bad_records", PRICES.to_records())
    write("bad_complex", VALUES.astype(complex))
    write("bad_half", VALUES.astype("<f2"))
    write("bad_truth", VALUES > 1000)
    write("bad_words", np.array(NAMES))
    write("bad_scalar", np.array(3.0))
    write("bad_empty", np.zeros((0, 3)))

    def archive(name, save=np.savez, **arrays):
        sink = io.BytesIO()
        save(sink, **arrays)
        put("npy", f"{name}.npz", sink.getvalue())
        return sink.getvalue()

    archive("same_one", arr_0=VALUES)
    whole = archive("same_named", save=np.savez_compressed, prices=VALUES, tickers=np.array(NAMES), dates=DAYS.values)
    archive("same_text_dates", prices=VALUES, assets=np.array(NAMES), dates=np.array(DAYS.strftime("%Y-%m-%d"), dtype=str))
    archive("same_two", prices=VALUES, returns=VALUES[1:] / VALUES[:-1] - 1)
    archive("bad_which", a=VALUES, b=VALUES)
    archive("bad_objects", prices=VALUES.astype(object))
    put("npy", "bad_cut.npz", whole[:-30])
    put("npy", "bad_flipped.npz", whole[:120] + bytes([whole[120] ^ 255]) + whole[121:])
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as book:
        book.writestr("xl/workbook.xml", "")
    put("npy", "bad_workbook.npz", sink.getvalue())
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as zeros:
        header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (16384, 8), }"
        zeros.writestr("a.npy", header.ljust(127) + b"\n" + bytes(1 << 20))
    put("npy", "bad_zeros.npz", sink.getvalue())


if __name__ == "__main__":
    csv()
    parquet()
    arrow()
    npy()
