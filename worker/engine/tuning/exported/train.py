"""Repeat a training run without the portal that it was made on: the same rows, the same steps, the same test score.

    pip install torch transformers peft tokenizers safetensors numpy    (and sacrebleu for translations)
    python train.py --out again

Beside it lie repeat.json (what was learned and how) and recipe.json (which repositories it came from). They are
fetched from HF_ENDPOINT, with HF_TOKEN where they are not public; --base, --data and --teacher name folders instead.
The numbers are those of a processor; how many threads and which versions of libraries stand in repeat.json.

    accelerate launch --num_processes 4 train.py --out again

learns on four GPUs: steps and batches stay what they are, and each process takes a part of the rows of every batch.
"""

import argparse
import csv
import importlib.util
import inspect
import json
import math
import os
import random
import re
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers.pytorch_utils import Conv1D

HERE = Path(__file__).resolve().parent
POOL = 32  # batches whose rows are sorted by length together
IGNORED = -100
OUTSIDE = "O"
CHINESE = "[\u3400-\u4dbf\u4e00-\u9fff\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, help="folder of the base model, instead of its repository")
    parser.add_argument("--teacher", type=Path, help="folder of the model that is learned from, where there is one")
    parser.add_argument("--data", type=Path, help="folder of the data set, instead of its repository")
    parser.add_argument("--out", type=Path, help="where the model goes")
    arguments = parser.parse_args()
    repeat = json.loads((HERE / "repeat.json").read_text(encoding="utf-8"))
    sources = json.loads((HERE / "recipe.json").read_text(encoding="utf-8"))["wish"]
    data = arguments.data or fetched(sources["data"], "dataset", sources.get("data_revision"))
    base = arguments.base or HERE.parent
    if repeat["has_base"] and arguments.base is None:
        base = fetched(sources["base"], "model", sources.get("base_revision"))

    teacher = None
    if repeat.get("teacher"):
        wished = sources.get("teacher") or {}
        teacher = teacher_of(arguments.teacher or fetched(wished["model"], "model", wished.get("revision")), repeat)

    torch.set_num_threads(repeat["threads"])
    torch.use_deterministic_algorithms(True, warn_only=True)
    train, test = rows_of(data, sources, repeat)
    tokenizer = tokenizer_of(base)
    torch.manual_seed(repeat["seed"])
    model, saved = model_of(base, repeat)
    take_shortcuts(model, repeat)
    team = team_of(repeat["seed"])
    for one in (model, teacher):
        if team and one is not None:
            one.to(team.device)
    attack = Attack(tokenizer, train, repeat) if repeat["recipe"]["harden"] == "worst_of_k" else None
    learn(model, [part for row in train for part in encoded(tokenizer, row, repeat)], repeat, teacher, team, attack)
    if team is None or team.is_main_process:
        if arguments.out:
            saved.save_pretrained(arguments.out)
        print(json.dumps({"rows": len(train), "test_rows": len(test), **tested(model, tokenizer, test, repeat)}))
    if team:
        team.end_training()


def fetched(name, kind, revision):
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, repo_type=kind, revision=revision))


def team_of(seed):
    """Return the processes that learn together, None for one that learns alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return None
    from accelerate import Accelerator

    team = Accelerator(cpu=not torch.cuda.is_available())
    torch.manual_seed(seed + team.process_index)  # the model is the same everywhere, what is dropped of it is not
    torch.set_default_device(team.device)
    return team


# Rows: the same lines of the same files.


def rows_of(data, sources, repeat):
    """Return the training rows in their order, and the test rows: a file of its own, or what training left."""
    files = sources["files"]
    repeat["columns"] |= sources.get("fields", {})
    lines = dict(lines_of(data / files["train"], repeat))
    train = [lines[number] for number in unfolded(repeat["train_lines"])]
    if "test" in files:
        return train, [row for _number, row in lines_of(data / files["test"], repeat)]
    taken = {*unfolded(repeat["train_lines"]), *unfolded(repeat["dev_lines"])}
    return train, [row for number, row in lines.items() if number not in taken]


def unfolded(ranges):
    return [number for first, last in ranges for number in range(first, last + 1)]


def lines_of(path, repeat):
    """Yield the number and (texts, answer) of every line that can be used."""
    columns = repeat["columns"]
    for number, record in records_of(path):
        if all(record.get(column) is not None for column in columns.values()):
            try:
                answer = answer_of(record[columns["target"]], repeat) if "target" in columns else None
                yield number, (texts_of(record, columns, repeat), answer)
            except (KeyError, ValueError, IndexError):
                continue


def records_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix == ".csv":
            reader = csv.reader(file)
            header = next(reader)
            yield from ((reader.line_num, dict(zip(header, row))) for row in reader if len(row) == len(header))
        else:
            yield from ((number, json.loads(line)) for number, line in enumerate(file, start=1) if line.strip())


def texts_of(record, columns, repeat):
    """Return the texts of a line, or the words of its sentence."""
    if repeat["task"] == "token-classification":
        return listed(record[columns["input"]])
    texts = [record[columns[role]] for role in ("input", "input2") if role in columns]
    if not all(text.strip() for text in texts):
        raise ValueError("empty")
    return texts


def answer_of(value, repeat):
    """Return the number of a label, a list of them, or a number, as the run read them."""
    task = repeat["task"]
    if task == "text-regression":
        return float(value)
    if task == "translation":
        return value
    if task == "token-classification":
        return [label_of(tag, repeat) for tag in listed(value)]
    if task == "multi-label-classification":
        chosen = {label_of(label, repeat) for label in listed(value)}
        return [float(number in chosen) for number in range(len(repeat["outputs"]))]
    return label_of(value, repeat)


def listed(value):
    if isinstance(value, str) and value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def label_of(value, repeat):
    """Return the output of the model that stands for a label, which files have by name or by position."""
    name = str(value).lower() if isinstance(value, bool) else str(value).strip()
    if name not in repeat["labels"]:
        name = repeat["labels"][abs(int(value))]
    return repeat["outputs"].index(name)


# The model: the base with the head of the task, and what the method adds.


def tokenizer_of(folder):
    if (folder / "tokenizer.json").exists():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder).backend_tokenizer
    tokenizer.no_padding()
    return tokenizer


def tensors_of(folder):
    tensors = {}
    for path in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(path)
    return tensors


def teacher_of(folder, repeat):
    """Return the model whose answers are learned beside the labels."""
    said = repeat["teacher"]
    model_class = getattr(transformers, said["model_class"])
    config = model_class.config_class.from_dict(said["config"])
    model = model_class.from_pretrained(None, config=config, state_dict=tensors_of(folder), dtype=torch.float32)
    return model.eval().requires_grad_(False)


def with_layers(tensors, layers):
    """Return the tensors of a student that is some layers of its teacher."""
    places = {str(number): str(place) for place, number in enumerate(layers["kept"])}
    begin = layers["prefix"] + "."
    kept = {}
    for name, value in tensors.items():
        if name.startswith(begin):
            number, _, rest = name.removeprefix(begin).partition(".")
            if number in places:
                kept[f"{begin}{places[number]}.{rest}"] = value
        else:
            kept[name] = value
    return kept


def model_of(folder, repeat):
    model_class = getattr(transformers, repeat["model_class"])
    config = model_class.config_class.from_dict(repeat["config"])
    config.use_cache = False
    if repeat["has_base"]:
        tensors = tensors_of(folder)
        if repeat.get("layers"):
            tensors = with_layers(tensors, repeat["layers"])
        if repeat["new_head"]:  # one for other labels is left behind
            body = model_class.base_model_prefix + "."
            tensors = {name: value for name, value in tensors.items() if name.startswith(body)}
        model, _info = model_class.from_pretrained(
            None, config=config, state_dict=tensors, dtype=torch.float32, output_loading_info=True,
            ignore_mismatched_sizes=True,
        )  # fmt: skip
    else:
        model = model_class(config)
        begin_small(model)
    saved = model
    if repeat["adapter"]:
        import peft

        kind = {"LORA": peft.LoraConfig, "IA3": peft.IA3Config}[repeat["adapter"].pop("peft_type")]
        saved = peft.get_peft_model(model, kind(**repeat["adapter"]))
    trained = set(repeat["trained"])
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in trained)
    return model, saved


def begin_small(model):
    """Write the same T5 down in smaller numbers: a step of Adam hardly moves those that it begins with."""
    if model.config.model_type == "t5" and model.config.tie_word_embeddings:
        factor = float(model.config.d_model) ** -0.5
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name == "shared.weight" or name.endswith((".o.weight", ".wo.weight")):
                    parameter.mul_(factor)
            model.decoder.final_layer_norm.weight.div_(factor)


# Shorter ways to what is learned. The numbers they draw and add up are other ones, so the run's are taken here too.


def take_shortcuts(model, repeat):
    if repeat["first_token"]:
        is_distilbert = model.config.model_type == "distilbert"
        layer = (model.base_model.transformer if is_distilbert else model.base_model.encoder).layer[-1]
        layer.forward = partial(first_token_of_distilbert if is_distilbert else first_token_of_bert, layer)
    # Linear layers by oneDNN, on the processor alone; a torch that cannot do that rounds some numbers otherwise.
    if repeat["onednn_from"] and not torch.cuda.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        for module in model.modules():
            if type(module) in (torch.nn.Linear, Conv1D):
                module.forward = partial(multiplied, module, repeat["onednn_from"])
    if repeat["short_draws"] and not torch.cuda.is_available():
        for module in model.modules():
            if type(module) is torch.nn.Dropout:
                module.forward = partial(thinned, module)


def first_token_of_bert(layer, states, mask=None, *_rest, **_others):
    """Compute the last layer of an encoder for the first token alone, since the head reads no other."""
    whole = layer.attention.self
    found = gathered(whole, (whole.query, whole.key, whole.value), states, mask)
    return layer.feed_forward_chunk(layer.attention.output(found, states[:, :1]))


def first_token_of_distilbert(layer, states, attention_mask=None, **_others):
    whole = layer.attention
    found = gathered(whole, (whole.q_lin, whole.k_lin, whole.v_lin), states, attention_mask)
    attended = layer.sa_layer_norm(whole.out_lin(found) + states[:, :1])
    return layer.output_layer_norm(layer.ffn(attended) + attended)


def gathered(whole, parts, states, mask):
    query, key, value = (
        part(of).view(*of.shape[:2], -1, whole.attention_head_size).transpose(1, 2)
        for part, of in zip(parts, (states[:, :1], states, states))
    )
    seen, dropout = None if mask is None else mask[:, :, :1], whole.dropout.p if whole.training else 0.0
    found = F.scaled_dot_product_attention(query, key, value, attn_mask=seen, dropout_p=dropout, scale=whole.scaling)
    return found.transpose(1, 2).flatten(2)


def multiplied(layer, least, states):
    weight = layer.weight.t() if isinstance(layer, Conv1D) else layer.weight
    if states.numel() * len(weight) < least:
        return F.linear(states, weight, layer.bias)
    return Product.apply(states.flatten(0, -2), weight, layer.bias).view(*states.shape[:-1], len(weight))


class Product(torch.autograd.Function):
    """A linear layer by oneDNN, which is twice as fast as MKL on processors of AMD."""

    @staticmethod
    def of(states, weight, bias=None):
        return torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")

    @staticmethod
    def forward(ctx, states, weight, bias):
        ctx.save_for_backward(states, weight)
        return Product.of(states, weight, bias)

    @staticmethod
    def backward(ctx, gradient):
        states, weight = ctx.saved_tensors
        return (
            Product.of(gradient, weight.t()) if ctx.needs_input_grad[0] else None,
            Product.of(gradient.t(), states.t()) if ctx.needs_input_grad[1] else None,
            gradient.sum(dim=0) if ctx.needs_input_grad[2] else None,
        )


def thinned(layer, states):
    """Drop a share of numbers by 16 random bits for each: drawing is most of what dropout takes."""
    dropped = round(layer.p * 65536)
    if not layer.training or not 0 < dropped < 65536:
        return F.dropout(states, layer.p, layer.training)
    drawn = torch.empty(-(-states.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
    mask = torch.empty(states.shape)
    torch.ge(drawn.view(torch.int16)[: states.numel()].view(states.shape), dropped - 32768, out=mask)
    return states * mask.mul_(65536 / (65536 - dropped))


# Learning.


def encoded(tokenizer, row, repeat):
    """Return a row as (tokens, segments, what the loss compares with, how much it counts, words of the tokens).

    It is a list of one, but for running text that is longer than the model reads.
    """
    texts, answer = row
    if repeat["task"] == "language-modeling":
        *begun, (ids, start) = windows_of(tokenizer, texts[0], repeat["max_length"] - 1, repeat)
        ends = [] if ids[-1:] == repeat["end_tokens"] else repeat["end_tokens"]
        windows = [*begun, ([*ids, *ends][: repeat["max_length"]], start)]
        return [
            (ids, [0] * len(ids), [IGNORED] * start + ids[start:], len(ids) - start, None) for ids, start in windows
        ]
    tokenizer.enable_truncation(repeat["max_length"])
    if repeat["task"] == "token-classification":
        encoding = tokenizer.encode(texts, is_pretokenized=True)
        target, seen = [], set()
        for word in encoding.word_ids:
            target.append(IGNORED if word is None or word in seen else answer[word])
            seen.add(word)
        units = sum(label != IGNORED for label in target)
        return [(encoding.ids, encoding.type_ids, target, units, encoding.word_ids)]
    encoding = tokenizer.encode(*texts)
    if repeat["task"] == "translation":
        tokenizer.no_truncation()
        answer = tokenizer.encode(answer, add_special_tokens=False).ids[: repeat["max_length"] - 2]
        target = [*repeat["begin_tokens"], *answer, *repeat["end_tokens"]]
        return [(encoding.ids, encoding.type_ids, target, len(target), None)]
    return [(encoding.ids or [pad_of(repeat)], encoding.type_ids or [0], answer, 1, None)]


def windows_of(tokenizer, text, limit, repeat):
    """Return (tokens, first one that counts) of pieces of a text; each predicts at most `limit` tokens."""
    tokenizer.no_truncation()
    special = not text.startswith(repeat["prefix_text"])
    ids = [repeat["prefix_token"], *tokenizer.encode(text, add_special_tokens=special).ids]
    windows = []
    for at in range(1, len(ids), limit):
        end = min(at + limit, len(ids))
        piece = ids[max(0, end - limit - 1) : end]
        windows.append((piece, len(piece) - (end - at)))
    return windows


def pad_of(repeat):
    return repeat["config"].get("pad_token_id") or 0


def batches_of(lengths, recipe, seed, epoch):
    """Shuffle, sort by length within pools, cut, and shuffle the batches: next to no padding, and a random order."""
    rng = random.Random(f"{seed}/{epoch}")
    order = list(range(len(lengths)))
    rng.shuffle(order)
    budget, size = recipe["token_budget"], recipe["batch_size"]
    pool = max(1, int(POOL * budget / max(1.0, sum(lengths) / len(lengths)))) if budget else POOL * size
    batches = []
    for start in range(0, len(order), pool):
        batch = []
        for row in sorted(order[start : start + pool], key=lambda row: (-lengths[row], row)):
            if batch and ((len(batch) + 1) * lengths[batch[0]] > budget if budget else len(batch) == size):
                batches.append(batch)
                batch = []
            batch.append(row)
        if batch:
            batches.append(batch)
    rng.shuffle(batches)
    return batches


def inputs_of(rows, repeat):
    width = max(len(row[0]) for row in rows)
    ids = torch.full((len(rows), width), pad_of(repeat))
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row[0])] = torch.tensor(row[0])
        types[place, : len(row[1])] = torch.tensor(row[1])
        mask[place, : len(row[0])] = 1
    inputs = {"input_ids": ids, "attention_mask": mask}
    if repeat["task"] == "translation":  # the decoder sees what is to be written, one token late
        written = torch.full((len(rows), max(len(row[2]) for row in rows)), pad_of(repeat))
        for place, row in enumerate(rows):
            written[place, 0] = repeat["start_token"]
            written[place, 1 : len(row[2])] = torch.tensor(row[2][:-1])
        inputs["decoder_input_ids"] = written
    return inputs | ({"token_type_ids": types} if (repeat["config"].get("type_vocab_size") or 0) > 1 else {})


def loss_of(logits, rows, repeat, weights, taught=None):
    """Return the loss, summed over the rows; `taught` is what a teacher says of them."""
    loss = labels_loss(logits, rows, repeat, weights)
    if taught is None:
        return loss
    mine, theirs = (classes_of(values, rows, repeat) for values in (logits, taught))
    heat, share = repeat["teacher"]["temperature"], repeat["teacher"]["alpha"]
    apart = F.kl_div(
        F.log_softmax(mine / heat, dim=-1), F.log_softmax(theirs / heat, dim=-1), log_target=True, reduction="sum"
    )
    return share * heat**2 * apart + (1 - share) * loss


def classes_of(logits, rows, repeat):
    """Return what is said of each label, (anything, classes)."""
    if repeat["task"] == "multi-label-classification":  # each label is there or not
        return torch.stack([logits, torch.zeros_like(logits)], dim=-1).flatten(0, 1)
    if repeat["task"] == "token-classification":
        counted = torch.zeros(logits.shape[:2], dtype=torch.bool)
        for place, row in enumerate(rows):
            counted[place, : len(row[2])] = torch.tensor(row[2]) != IGNORED
        return logits[counted]
    return logits


def labels_loss(logits, rows, repeat, weights):
    task, smoothing = repeat["task"], repeat["recipe"]["label_smoothing"]
    if task == "text-regression":
        return ((logits[:, 0] - torch.tensor([row[2] for row in rows])) ** 2).sum()
    if task == "multi-label-classification":
        wanted = torch.tensor([row[2] for row in rows]) * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean(dim=1).sum()
    if task in ("token-classification", "language-modeling", "translation"):
        targets = torch.full(logits.shape[:2], IGNORED)
        for place, row in enumerate(rows):
            targets[place, : len(row[2])] = torch.tensor(row[2])
        if task == "language-modeling":  # each token is predicted from those before it
            logits, targets = logits[:, :-1].flatten(0, 1), targets[:, 1:].flatten()
        elif task == "translation":
            logits, targets = logits.flatten(0, 1), targets.flatten()
        else:
            logits, targets = logits[targets != IGNORED], targets[targets != IGNORED]
    else:
        targets = torch.tensor([row[2] for row in rows])
    return F.cross_entropy(
        logits, targets, weight=weights, label_smoothing=smoothing, reduction="sum", ignore_index=IGNORED
    )


def weights_of(rows, repeat):
    """Return weights of labels that are one in the mean over the rows."""
    if repeat["recipe"]["class_weights"] != "balanced":
        return None
    labels = [label for row in rows for label in (row[2] if isinstance(row[2], list) else [row[2]]) if label >= 0]
    counts = np.bincount(labels, minlength=len(repeat["outputs"]))
    return torch.tensor(len(labels) / np.maximum(counts, 1) / max(1, int((counts > 0).sum())), dtype=torch.float32)


def asked(teacher, inputs):
    """Return what the teacher says of a batch; not every type of model tells segments apart."""
    heard = inspect.signature(teacher.forward).parameters
    with torch.no_grad():
        return teacher(**{name: value for name, value in inputs.items() if name in heard}).logits


class Attack:
    """Mistypes rows in several ways, and finds the one that the model answers worst."""

    def __init__(self, tokenizer, rows, repeat):
        said = importlib.util.spec_from_file_location("slips", HERE / "slips.py")
        self.slips = importlib.util.module_from_spec(said)
        said.loader.exec_module(self.slips)
        self.tokenizer, self.rows, self.repeat = tokenizer, rows, repeat
        self.options = {"count": 4, "share": 0.2} | repeat["recipe"]["harden_options"]
        self.plain = {**repeat, "recipe": {**repeat["recipe"], "label_smoothing": 0.0}}
        self.passes = 0

    def worst(self, model, batch):
        """Return what is learned beside the rows of a batch."""
        count = self.options["count"]
        forms = [[self.mistyped(row, number) for row in batch] for number in range(count)]
        self.passes += 2 + (count if count > 1 else 0)
        if count == 1:
            return forms[0]
        model.eval()
        with torch.no_grad():
            losses = torch.stack([self.losses(model, form) for form in forms])
        model.train()
        return [forms[number][place] for place, number in enumerate(losses.argmax(dim=0).tolist())]

    def mistyped(self, row, number):
        texts, answer = self.rows[row]
        rng = self.slips.generator(self.repeat["seed"], "worst_of_k", *map(str, (self.passes, number, row)))
        changed = [self.slips.slip(text, rng, self.options["share"]) for text in texts]
        return encoded(self.tokenizer, (changed, answer), self.repeat)[0]

    def losses(self, model, rows):
        logits = model(**inputs_of(rows, self.repeat)).logits
        return torch.stack(
            [labels_loss(logits[at : at + 1], rows[at : at + 1], self.plain, None) for at in range(len(rows))]
        )


def learn(model, rows, repeat, teacher=None, team=None, attack=None):
    """Take the steps up to the one whose weights were kept."""
    recipe, steps = repeat["recipe"], repeat["steps"]
    rows = [row for row in rows if row[3]]
    both = repeat["task"] == "translation"
    lengths = [len(row[0]) + (len(row[2]) if both else 0) for row in rows]
    weights = weights_of(rows, repeat)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optimizer_of(parameters, recipe)
    size = recipe["accumulation"]
    usual = sum(row[3] for row in rows) / math.ceil(len(batches_of(lengths, recipe, repeat["seed"], 0)) / size)
    parts = 2 if attack else 1  # of the loss of a batch

    def go_back(chosen, inputs):
        logits = model(**inputs).logits
        taught = asked(teacher, inputs) if teacher is not None else None
        (loss_of(logits, chosen, repeat, weights, taught) / parts / usual).backward()

    step, epoch = 0, 0
    while True:
        batches = batches_of(lengths, recipe, repeat["seed"], epoch)
        for start in range(0, len(batches), size):
            if step == repeat["kept_step"]:
                return
            for group in optimizer.param_groups:
                group["lr"] = recipe["lr"] * share_of(recipe, step, steps)
            model.train()
            for batch in batches[start : start + size]:
                own = batch[team.process_index :: team.num_processes] if team else batch
                if not own:
                    continue
                chosen = [rows[row] for row in own]
                go_back(chosen, with_hidden(inputs_of(chosen, repeat), repeat))
                if attack:
                    worst = attack.worst(model, own)
                    go_back(worst, inputs_of(worst, repeat))
            for parameter in parameters if team else ():
                own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                parameter.grad = team.reduce(own, reduction="sum")
            torch.nn.utils.clip_grad_norm_(parameters, recipe["clip_norm"] or math.inf)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step += 1
        epoch += 1


def with_hidden(inputs, repeat):
    """Return what the model reads with a share of its tokens masked."""
    share = repeat["recipe"]["token_dropout"]
    if not share:
        return inputs
    ids = inputs["input_ids"]
    hidden = torch.rand(ids.shape) < share
    hidden &= inputs["attention_mask"].bool() & ~torch.isin(ids, torch.tensor(repeat["special_tokens"]))
    return inputs | {"input_ids": ids.masked_fill(hidden, repeat["mask_token"])}


def optimizer_of(parameters, recipe):
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": recipe["weight_decay"]},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe["optimizer"] == "sgd":
        return torch.optim.SGD(groups, lr=recipe["lr"], momentum=recipe["momentum"], fused=True)
    kind = torch.optim.AdamW if recipe["optimizer"] == "adamw" else torch.optim.Adam
    return kind(groups, lr=recipe["lr"], betas=(0.9, 0.999), fused=True)


def share_of(recipe, step, steps):
    """Return the share of the learning rate at a step."""
    warm_up = round(recipe["warmup"] * steps)
    if step < warm_up:
        return (step + 1) / warm_up
    share = (step - warm_up) / max(1, steps - warm_up)
    if recipe["schedule"] == "linear":
        return max(0.0, 1 - share)
    if recipe["schedule"] == "cosine":
        return (1 + math.cos(math.pi * min(1.0, share))) / 2
    if recipe["schedule"] == "inverse_sqrt":
        return math.sqrt(max(1, warm_up) / (max(1, warm_up) + step - warm_up))
    return 1.0


# Testing.


def tested(model, tokenizer, test, repeat):
    """Return scores of the test rows."""
    model.eval()
    if repeat["task"] == "language-modeling":
        return of_running_text(model, tokenizer, [texts[0] for texts, _answer in test], repeat)
    rows = [encoded(tokenizer, row, repeat)[0] for row in test]
    if repeat["task"] == "translation":
        return of_translations(
            [written(model, tokenizer, row, repeat) for row in rows], [row[1] for row in test], repeat
        )
    answers = [None] * len(rows)
    order = sorted(range(len(rows)), key=lambda row: -len(rows[row][0]))
    with torch.inference_mode():
        for start in range(0, len(order), 16):
            batch = order[start : start + 16]
            logits = model(**inputs_of([rows[row] for row in batch], repeat)).logits.double().cpu().numpy()
            for place, row in enumerate(batch):
                answers[row] = logits[place]
    gold = [answer for _texts, answer in test]
    if repeat["task"] == "text-regression":
        return of_numbers(np.array(gold), np.array([answer[0] for answer in answers]))
    if repeat["task"] == "multi-label-classification":
        return of_sets(
            np.array(gold) > 0.5, np.array(answers) >= math.log(repeat["threshold"] / (1 - repeat["threshold"]))
        )
    if repeat["task"] == "token-classification":
        found = [tags_of(row, answer, len(tags), repeat) for row, answer, tags in zip(rows, answers, gold)]
        return of_entities([[repeat["outputs"][tag] for tag in tags] for tags in gold], found)
    return of_labels(np.array(gold), np.array(answers).argmax(axis=1), len(repeat["outputs"]))


def of_running_text(model, tokenizer, texts, repeat):
    """Return the bits that it takes to write a byte."""
    bits = 0.0
    for text in texts:
        for ids, start in windows_of(tokenizer, text, repeat["max_length"], repeat):
            with torch.inference_mode():
                likely = model(input_ids=torch.tensor([ids[:-1]])).logits[0].float().log_softmax(dim=-1)
            counted = likely[torch.arange(len(ids) - 1), torch.tensor(ids[1:])][start - 1 :]
            bits -= float(counted.double().sum()) / math.log(2)
    return {"bits_per_byte": bits / sum(len(text.encode()) for text in texts)}


def written(model, tokenizer, row, repeat):
    """Return what the model writes, always the likeliest token after the other."""
    tokens, inputs = [], {"input_ids": torch.tensor([row[0]])}
    with torch.inference_mode():
        read = model.get_encoder()(**inputs, return_dict=True)
        while len(tokens) < repeat["max_new_tokens"]:
            before = torch.tensor([[repeat["start_token"], *tokens]])
            numbers = model(encoder_outputs=read, decoder_input_ids=before, use_cache=False).logits[0, -1]
            forced = repeat["begin_tokens"][len(tokens) :]
            token = forced[0] if forced else int(numbers.argmax())
            if token in repeat["last_tokens"]:
                break
            tokens.append(token)
            if any(stop in tokenizer.decode(tokens) for stop in repeat["until"]):
                break
    text = tokenizer.decode(tokens)
    if repeat["joins_chinese"]:  # WordPiece puts a space between all tokens
        text = re.sub(f"(?<={CHINESE}) (?={CHINESE})", "", text)
    for stop in repeat["until"]:
        text = text.partition(stop)[0]
    return text


def of_translations(found, gold, repeat):
    import sacrebleu

    bleu = sacrebleu.corpus_bleu(found, [gold], tokenize=repeat["bleu_tokenization"], force=True)
    return {"bleu": bleu.score / 100, "chrf": sacrebleu.corpus_chrf(found, [gold], word_order=2).score / 100}


def of_labels(gold, found, labels):
    f1 = []
    for label in range(labels):
        right = ((gold == label) & (found == label)).sum()
        f1.append(2 * right / max(1, (gold == label).sum() + (found == label).sum()))
    return {"accuracy": float((gold == found).mean()), "f1_macro": float(np.mean(f1))}


def of_sets(gold, found):
    right = (gold & found).sum()
    return {
        "f1_micro": float(2 * right / max(1, gold.sum() + found.sum())),
        "subset_accuracy": float((gold == found).all(axis=1).mean()),
    }


def of_numbers(gold, found):
    found = np.array([float(f"{value:.6g}") for value in found])
    return {
        "spearman": float(np.corrcoef(ranks(gold), ranks(found))[0, 1]),
        "pearson": float(np.corrcoef(gold, found)[0, 1]),
        "mse": float(((gold - found) ** 2).mean()),
    }


def ranks(values):
    """Return ranks; equal values share the mean of theirs."""
    _values, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]


def tags_of(row, logits, words, repeat):
    """Return the tag of each word by its first token; a word that was cut off is outside."""
    tags = [OUTSIDE] * words
    for place, label in enumerate(row[2]):
        if label != IGNORED:
            tags[row[4][place]] = repeat["outputs"][int(logits[place].argmax())]
    return tags


def of_entities(gold, found):
    """Return the F1 of entities by strict IOB2."""
    right = wanted = predicted = 0
    for tags, own in zip(gold, found):
        one, two = entities(tags), entities(own)
        right, wanted, predicted = right + len(one & two), wanted + len(one), predicted + len(two)
    return {"f1_entities": 2 * right / max(1, wanted + predicted)}


def entities(tags):
    found, start, kind = set(), -1, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, name = tag.partition("-")
        if start >= 0 and not (prefix == "I" and name == kind):
            found.add((kind, start, place))
            start = -1
        if prefix == "B":
            start, kind = place, name
    return found


if __name__ == "__main__":
    main()
